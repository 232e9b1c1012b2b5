"""The report's tables as plain rows, for CSV and Markdown files. (The result table is the evaluation's.)"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bestpath.stages.report.blocks import Block, Column, Estimate, Funnel, Table, Value

Plain = str | int | float | None


@dataclass(frozen=True)
class PlainTable:
    """A table with its file name."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Plain, ...], ...]

    def csv(self) -> str:
        """As CSV; what does not exist is empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.headings)
        writer.writerows(self.rows)
        return stream.getvalue()

    def markdown(self) -> str:
        """As a Markdown table."""
        from tabulate import tabulate

        rows = [["" if value is None else str(value).replace("|", "\\|") for value in row] for row in self.rows]
        return tabulate(rows, self.headings, tablefmt="pipe", disable_numparse=True) + "\n"


def plain_tables(blocks: Iterable[Block]) -> Iterator[PlainTable]:
    """Everything in some blocks that is written as a table, if it has rows."""
    for block in blocks:
        if isinstance(block, Table) and block.name and block.lines:
            yield _plain(block)
        elif isinstance(block, Funnel):
            yield from _funnel(block)


def _plain(table: Table) -> PlainTable:
    """A table whose estimates take a column a number; whether a line is pointed out is the last column."""
    columns = [[line.values[i] for line in table.lines] for i in range(len(table.columns))]
    parts = [part for column, values in zip(table.columns, columns, strict=True) for part in _parts(column, values)]
    if table.note:
        parts.insert(1, (table.note, [line.note for line in table.lines]))
    if any(line.chosen for line in table.lines):
        parts.append(("chosen", ["yes" if line.chosen else "" for line in table.lines]))
    return PlainTable(table.name, tuple(name for name, _ in parts), tuple(zip(*(v for _, v in parts), strict=True)))


def _parts(column: Column, values: list[Value]) -> list[tuple[str, list[Plain]]]:
    parts: list[tuple[str, list[Plain]]] = [(column.name, [_number(value) for value in values])]
    estimates = [value for value in values if isinstance(value, Estimate)]
    for field, suffix in (("error", "SE"), ("low", "low"), ("high", "high")):
        if any(getattr(estimate, field) is not None for estimate in estimates):
            parts.append((f"{column.name} {suffix}", [_rounded(getattr(value, field, None)) for value in values]))
    return parts


def _number(value: Value) -> Plain:
    return _rounded(value.value) if isinstance(value, Estimate) else _rounded(value)


def _rounded(value: Plain) -> Plain:
    return round(value, 6) if isinstance(value, float) else value


def _funnel(funnel: Funnel) -> Iterator[PlainTable]:
    steps = funnel.steps
    yield PlainTable(
        "funnel",
        ("step", "unit", "in", "out", "rejected", "unaccounted"),
        tuple((s.label, s.unit, s.n_in, s.n_out, sum(r.n for r in s.rejects), s.lost) for s in steps),
    )
    rejects = tuple((s.label, r.reason, r.n, r.meaning) for s in steps for r in s.rejects)
    if rejects:
        yield PlainTable("rejects", ("step", "reason", "count", "meaning"), rejects)
