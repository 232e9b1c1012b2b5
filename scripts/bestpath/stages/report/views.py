"""Tables as the page shows them: numbers in words, and intervals as positions of a small plot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bestpath.stages.report.blocks import Column, Estimate, Form, Line, Table, Value
from bestpath.stages.report.style import Mark, Marks

Bounds = tuple[float, float | None, float | None]  # value, low, high

EFFECTS = {"points": 1, "ratio": -1}
"""The forms that are drawn as effects, and the sign that is better."""


@dataclass(frozen=True)
class Effect:
    """A difference: in words, as positions in percent of a plot's width, and whether it helps.

    `sense` is `good`, `bad`, or `none` when the interval includes no difference.
    """

    text: str
    interval: str
    at: float
    low: float
    high: float
    zero: float
    sense: str
    value: float


@dataclass(frozen=True)
class Cell:
    """A cell: what it says, small print beside it, what it is sorted by, and the effect that it shows, if any."""

    text: str
    small: str = ""
    value: str | float = ""
    effect: Effect | None = None


@dataclass(frozen=True)
class LineView:
    """A line of a table."""

    cells: tuple[Cell, ...]
    note: str
    mark: Mark | None
    kind: str
    chosen: bool


@dataclass(frozen=True)
class TableView:
    """A table; `headings` come with their forms."""

    caption: str
    headings: tuple[tuple[str, Form], ...]
    lines: tuple[LineView, ...]
    total: tuple[Cell, ...]

    @property
    def has_effects(self) -> bool:
        """Whether a column shows effects."""
        return any(form in EFFECTS for _, form in self.headings)


def view(table: Table, marks: Marks) -> TableView:
    """A table as the page shows it."""
    columns = [
        _cells(column, [line.values[i] for line in table.lines]) for i, column in enumerate(table.columns)
    ]  # a column at a time, since effects share its scale
    lines = [
        LineView(tuple(cells), line.note, *_marked(line, marks), line.chosen)
        for line, cells in zip(table.lines, zip(*columns, strict=True), strict=True)
    ]
    total = tuple(_cells(column, [value])[0] for column, value in zip(table.columns, table.total, strict=False))
    headings = tuple((column.heading or column.name, column.form) for column in table.columns)
    return TableView(table.caption, headings, tuple(lines), total)


def _marked(line: Line, marks: Marks) -> tuple[Mark | None, str]:
    return (marks.of(line.mark), line.mark[1]) if line.mark else (None, "")


def _cells(column: Column, values: Sequence[Value]) -> list[Cell]:
    if column.form in EFFECTS:
        return [Cell("", value=e.value if e else "", effect=e) for e in effects(values, column.form)]
    return [_cell(value, column.form) for value in values]


def _cell(value: Value, form: Form) -> Cell:
    if value is None:
        return Cell("")
    if isinstance(value, Estimate):
        small = "" if value.error is None else f"± {shown(value.error, form)}"
        return Cell(shown(value.value, form), small, value.value)
    return Cell(value if isinstance(value, str) else shown(value, form), value=value)


def shown(value: float, form: Form) -> str:
    """A number in words."""
    if form == "count":
        return count(round(value))
    if form == "amount":
        return amount(value)
    if form == "percent":
        return f"{100 * value:.1f}"
    if form == "duration":
        return duration(value)
    if form in ("significant", "text"):
        return typeset(f"{value:.3g}")
    return typeset(f"{value:.{2 if form == 'decimal' else 1}f}")


def count(number: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def amount(number: float) -> str:
    """A large number, briefly: 950, 12.3 k, 4.56 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}\N{NO-BREAK SPACE}{unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """A time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


def typeset(text: str) -> str:
    """A text with real minus signs before negative numbers, and percent signs that stay with their numbers."""
    text = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", text)


def effects(values: Sequence[Value], form: Form) -> list[Effect | None]:
    """Differences on one scale, which includes zero; `form` is points or ratio."""
    bounds = [_bounds(value, form) for value in values]
    ends = [x for bound in bounds if bound for x in bound if x is not None]
    return [None if bound is None else _effect(bound, ends, form) for bound in bounds]


def _bounds(value: Value, form: Form) -> Bounds | None:
    """A difference and its interval in points, or in percent of change."""
    if not isinstance(value, Estimate):
        return None
    shift = 1.0 if form == "ratio" else 0.0
    low, high = (None if x is None else 100 * (x - shift) for x in (value.low, value.high))
    return 100 * (value.value - shift), low, high


def _effect(bounds: Bounds, ends: Sequence[float], form: Form) -> Effect:
    value, low, high = bounds
    bottom, top = min(0.0, *ends), max(0.0, *ends)
    width = (top - bottom) or 1.0

    def position(x: float) -> float:
        return round(4 + 92 * (x - bottom) / width, 2)

    # a length that changes by 0.3 % changes little, and not nothing
    digits = 1 if form == "points" or abs(value) < 1 else 0
    interval, sense = "", "none"
    if low is not None and high is not None:
        interval = typeset(f"[{low:.{digits}f}, {high:.{digits}f}]")
        sense = "none" if low <= 0 <= high else "good" if value * EFFECTS[form] > 0 else "bad"
    return Effect(
        text=typeset(f"{value:+.{digits}f}{' %' if form == 'ratio' else ''}"),
        interval=interval,
        at=position(value),
        low=position(value if low is None else low),
        high=position(value if high is None else high),
        zero=position(0.0),
        sense=sense,
        value=value,
    )
