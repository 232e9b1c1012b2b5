"""Reference log-probabilities: computed once by the base model, shared by every training on the same rows.

They depend on the base, on the rows and on `ld_alpha`, but not on beta, learning rate or loss, so all trainings of a
sweep share the file of one rule; the columns have the names that TRL's collator reads.
The last bits also depend on which rows share a batch, so a file serves exactly the rows that it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bestpath.core.models import folder_digest
from bestpath.core.tables import Table, made_from, read_table, write_table
from bestpath.stages.training.recipe import Recipe

REFERENCE = Table(
    "reference",
    {"row_id": "string", "ref_chosen_logps": "float64", "ref_rejected_logps": "float64"},
    ("row_id",),
)


@dataclass
class Reference:
    """The summed log-probabilities (nats) of the chosen and the rejected completion under the base, by `row_id`."""

    path: Path
    origin: dict[str, str]
    values: dict[str, tuple[float, float]] = field(default_factory=dict)

    @staticmethod
    def at(path: Path, base: Path, recipe: Recipe, data: str) -> Reference:
        """What is known at `path`; nothing if the file is absent or was made from another base, other settings, or
        other rows, whose digest is `data`."""
        settings = (recipe.ld_alpha, recipe.precision, bool(recipe.lora_rank), recipe.micro_batch)
        origin = {"base": folder_digest(base), "settings": str(settings), "data": data}
        if not path.is_file() or made_from(path) != origin:
            return Reference(path, origin)
        rows = read_table(path, REFERENCE)
        known = {row["row_id"]: (row["ref_chosen_logps"], row["ref_rejected_logps"]) for row in rows}
        return Reference(path, origin, known)

    def save(self) -> None:
        """Write all values to the file."""
        rows = [
            {"row_id": row_id, "ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
            for row_id, (chosen, rejected) in self.values.items()
        ]
        write_table(self.path, REFERENCE, rows, self.origin)
