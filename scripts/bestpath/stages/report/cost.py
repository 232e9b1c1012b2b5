"""What each rule of a run cost: the time of its jobs, and the completions that they drew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bestpath.core.io import read_jsonl
from bestpath.core.tables import made_from
from bestpath.stages.report.blocks import Column, Line, Table
from bestpath.stages.report.data import CostRow
from bestpath.stages.report.manifest import Entry

COUNTED = ("n_tokens", "n_prompt_tokens")


def cost_of(benchmarks: Path, entries: Iterable[Entry]) -> tuple[CostRow, ...]:
    """A row for every rule that has a folder of times; `entries` labelled `draws` are completions of their program."""
    drawn: dict[str, list[Path]] = {}
    for entry in entries:
        if entry.labels.get("draws"):
            drawn.setdefault(made_from(entry.path)["program"], []).append(entry.path)
    folders = sorted(path for path in benchmarks.iterdir() if path.is_dir())
    return tuple(_row(folder, drawn.get(folder.name, [])) for folder in folders)


def _row(folder: Path, drawn: list[Path]) -> CostRow:
    seconds = sum(job["s"] for path in sorted(folder.rglob("*.jsonl")) for job in read_jsonl(path))
    if not drawn:
        return CostRow(folder.name, seconds)
    sums = [_sums(path) for path in drawn]
    n, generated, prompt = (sum(column) for column in zip(*sums, strict=True))
    return CostRow(folder.name, seconds, n, generated, prompt)


def _sums(path: Path) -> tuple[int, int, int]:
    """How many rows a table of completions has, and the sums of their tokens."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(COUNTED), partitioning=None)
    generated, prompt = (pc.sum(table[column]).as_py() or 0 for column in COUNTED)
    return table.num_rows, generated, prompt


def cost_table(cost: Iterable[CostRow]) -> Table:
    """The costs as a table, with their sums."""
    rows = list(cost)
    lines = tuple(Line((row.rule, row.seconds, row.generations, row.generated, row.prompt)) for row in rows)
    generations, generated, prompt = (
        sum(number or 0 for number in numbers)
        for numbers in zip(*((row.generations, row.generated, row.prompt) for row in rows), strict=True)
    )
    columns = (
        Column("stage", "Stage"),
        Column("seconds", "Time", "duration"),
        Column("generations", "Generations", "count"),
        Column("generated tokens", "Generated tokens", "count"),
        Column("prompt tokens", "Prompt tokens", "count"),
    )
    seconds = sum(row.seconds for row in rows)
    return Table(columns, lines, name="cost", total=("together", seconds, generations, generated, prompt))
