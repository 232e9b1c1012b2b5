"""What a smaller budget has drawn, kept so that a larger one only adds to it.

Snakemake removes a job's outputs before it makes them anew with another budget, so the rows lie beside the resume
state, in `results/.work/<rule>/drawn/<key>.parquet`. The key digests everything that a row depends on: code, inputs and
settings, but not the budget. `make clean` removes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.core.problems import by_problem
from bestpath.core.provenance import Origin
from bestpath.core.tables import Row, Table, read_table, write_table


@dataclass(frozen=True)
class Earlier:
    """The rows in a file, by problem; none if there is no file, or if it is damaged: they only save time."""

    path: Path
    table: Table
    rows: dict[str, list[Row]]

    @classmethod
    def at(cls, path: Path, table: Table) -> Earlier:
        """What is kept in a file."""
        try:
            return cls(path, table, by_problem(read_table(path, table)) if path.is_file() else {})
        except UserError:
            return cls(path, table, {})

    @classmethod
    def of(cls, work: Path, origin: Origin, budget: Iterable[str], table: Table) -> Earlier:
        """What jobs like this one have drawn; `work` is the folder of the rule's resume state (see `budget_free`)."""
        return cls.at(work / "drawn" / f"{budget_free(origin, budget)}.parquet", table)

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows together with those that were kept before, each draw once."""
        before = (row for kept in self.rows.values() for row in kept)
        by_id = {row["draw_id"]: row for part in (before, rows) for row in part}
        write_table(self.path, self.table, by_id.values())


def budget_free(origin: Origin, budget: Iterable[str]) -> str:
    """The key of a job's rows: its origin without the settings `budget` of its argument `rules`, which is JSON."""
    rules = json.loads(origin.settings["rules"])
    free = {name: value for name, value in rules.items() if name not in set(budget)}
    return replace(origin, settings={**origin.settings, "rules": free}).key
