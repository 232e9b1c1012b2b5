"""The result tables as the page shows them: numbers in words, and intervals as positions of a small plot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bestpath.stages.report.data import SystemRow

Bounds = tuple[float | None, float | None, float | None]  # value, low, high


@dataclass(frozen=True)
class Effect:
    """A difference from the base: in words, as positions in percent of a plot's width, and whether it helps.

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
class ResultRow:
    """One system; `note` says what does not fit the columns."""

    row: SystemRow
    note: str
    n: str
    delta: Effect | None
    ratio: Effect | None


@dataclass(frozen=True)
class ResultTable:
    """The systems of one data set under one decoding."""

    dataset: str
    decoding: str
    rows: tuple[ResultRow, ...]


def result_tables(systems: Sequence[SystemRow]) -> tuple[ResultTable, ...]:
    """A table for each data set and decoding, in the order in which they first appear."""
    groups: dict[tuple[str, str], list[SystemRow]] = {}
    for row in systems:
        groups.setdefault((row.dataset, row.decoding), []).append(row)
    return tuple(ResultTable(*key, _rows(rows)) for key, rows in groups.items())


def effects_of(row: SystemRow, systems: Sequence[SystemRow]) -> tuple[Effect | None, Effect | None]:
    """A system's differences from the base in accuracy and in tokens, on the scale of all `systems`."""
    accuracies, lengths = [_points(r) for r in systems], [_lengths(r) for r in systems]
    points, length = _points(row), _lengths(row)
    # a length that changes by 0.3 % changes little, and not nothing
    small = length[0] is not None and abs(length[0]) < 1
    return (
        _effect(points, accuracies, "{:+.1f}", better=1),
        _effect(length, lengths, "{:+.1f} %" if small else "{:+.0f} %", better=-1),
    )


def typeset(text: str) -> str:
    """A text with real minus signs before negative numbers, and percent signs that stay with their numbers."""
    text = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", text)


def _rows(systems: Sequence[SystemRow]) -> tuple[ResultRow, ...]:
    rows = []
    for row in systems:
        delta, ratio = effects_of(row, systems)
        per_problem = row.samples / row.problems / row.seeds
        n = f"{row.problems}" if per_problem == 1 else f"{row.problems} × {per_problem:g}"  # noqa: RUF001
        rows.append(ResultRow(row, _note(row), n, delta, ratio))
    return tuple(rows)


def _points(row: SystemRow) -> Bounds:
    return _scaled(row.delta), _scaled(row.delta_low), _scaled(row.delta_high)


def _lengths(row: SystemRow) -> Bounds:
    values = (row.token_ratio, row.ratio_low, row.ratio_high)
    value, low, high = (_scaled(None if ratio is None else ratio - 1) for ratio in values)
    return value, low, high


def _scaled(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _effect(bounds: Bounds, column: Sequence[Bounds], form: str, better: int) -> Effect | None:
    """An effect on the scale of its column, which always includes zero."""
    value, low, high = bounds
    if value is None:
        return None
    known = [x for bound in column for x in bound if x is not None] + [0.0]
    bottom, top = min(known), max(known)
    width = (top - bottom) or 1.0

    def position(x: float) -> float:
        return round(4 + 92 * (x - bottom) / width, 2)

    interval, sense = "", "none"
    if low is not None and high is not None:
        interval = typeset(f"[{low:.{_digits(form)}f}, {high:.{_digits(form)}f}]")
        sense = "none" if low <= 0 <= high else "good" if value * better > 0 else "bad"
    return Effect(
        text=typeset(form.format(value)),
        interval=interval,
        at=position(value),
        low=position(value if low is None else low),
        high=position(value if high is None else high),
        zero=position(0.0),
        sense=sense,
        value=value,
    )


def _digits(form: str) -> int:
    return int(form[form.index(".") + 1])


def _note(row: SystemRow) -> str:
    parts = []
    if row.seeds > 1:
        spread = "" if row.accuracy_seed_sd is None else f", accuracy SD {100 * row.accuracy_seed_sd:.1f}"
        parts.append(f"{row.seeds} seeds{spread}")
    if row.undecided:
        parts.append(f"{100 * row.undecided:.1f} % undecided")
    if row.errors:
        parts.append(f"{100 * row.errors:.1f} % failed in the engine")
    return "; ".join(parts)
