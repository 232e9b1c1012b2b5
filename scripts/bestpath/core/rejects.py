"""What a stage drops: counted and kept, never lost silently."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bestpath.core.tables import Row, Table

REJECTS = Table(
    "rejects",
    {
        "stage": "string",
        "problem_id": "string",
        "sample_id": "string?",
        "reason": "string",
        "detail": "string",
    },
    ("problem_id", "sample_id", "reason", "detail"),
)


@dataclass
class Rejects:
    """Collects the rows that a stage drops, each with its reason."""

    stage: str
    rows: list[Row] = field(default_factory=list)

    def add(self, problem_id: str, reason: str, detail: str = "", sample_id: str | None = None) -> None:
        """Record one dropped row; `reason` is a short code, `detail` says more in words."""
        self.rows.append(
            {
                "stage": self.stage,
                "problem_id": problem_id,
                "sample_id": sample_id,
                "reason": reason,
                "detail": detail,
            }
        )

    def counts(self) -> dict[str, int]:
        """Dropped rows by reason, the most frequent first."""
        return dict(Counter(row["reason"] for row in self.rows).most_common())


def check_nothing_lost(stage: str, n_in: int, n_out: int, rejects: Rejects) -> None:
    """Assert that every row that went in came out or was rejected with a reason."""
    if n_in != n_out + len(rejects.rows):
        raise AssertionError(
            f"{stage} lost rows: {n_in} in, {n_out} out and {len(rejects.rows)} rejected do not add up"
        )
