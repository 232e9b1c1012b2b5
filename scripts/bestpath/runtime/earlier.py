"""What a smaller budget has drawn, kept so that a larger one only adds to it.

Snakemake removes a job's outputs before it makes them anew with another budget, so the rows lie beside the resume
state, in `results/.work/<rule>/drawn/<key>.parquet`. The key digests everything that a row depends on: code, inputs and
settings, but not the budget. `make clean` removes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.core.provenance import Origin
from bestpath.core.tables import Row, Table, read_table, write_table


def budget_free(origin: Origin, budget: Iterable[str], *, argument: str, rules: Row) -> str:
    """The key of a job's rows: its origin without the settings `budget`.

    `argument` is the program's argument that holds the settings, `rules` are those settings.
    """
    free = {name: value for name, value in rules.items() if name not in set(budget)}
    settings = {**origin.settings, argument: free}
    return Origin(origin.program, settings, origin.inputs).key


def drawn(path: Path, table: Table) -> dict[str, list[Row]]:
    """The rows that are kept, by problem; none if there are none, or if they are damaged."""
    found: dict[str, list[Row]] = {}
    if path.is_file():
        try:
            for row in read_table(path, table):
                found.setdefault(row["problem_id"], []).append(row)
        except UserError:
            return {}  # they only save time
    return found


def keep(path: Path, table: Table, before: dict[str, list[Row]], rows: Iterable[Row]) -> None:
    """Keep rows together with those that were kept before, each draw once."""
    by_id = {row["draw_id"]: row for kept in before.values() for row in kept} | {row["draw_id"]: row for row in rows}
    write_table(path, table, by_id.values())
