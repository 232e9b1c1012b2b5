"""Numbers in words, one way everywhere: points of accuracy, percent of tokens, their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bestpath.core.systems import BASE

UNITS = ("", "k", "M", "G", "T")


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage without its sign: 0.893 is `89.3`."""
    return "-" if share is None else f"{100 * share:.{digits}f}"


def points(delta: float, low: float | None, high: float | None) -> str:
    """A difference of accuracy: `+0.4 points [-1.2, 2.0]`."""
    return f"{100 * delta:+.1f} points{_interval(low, high, 100, 1)}"


def tokens_change(ratio: float, low: float | None, high: float | None) -> str:
    """A ratio of lengths: `41 % fewer tokens [38, 44]` or `3 % more tokens [-1, 7]`."""
    digits = 1 if abs(ratio - 1) < 0.01 else 0  # 0.3 % is small, and not nothing
    if ratio > 1:
        interval = _interval(low and low - 1, high and high - 1, 100, digits)
        return f"{100 * (ratio - 1):.{digits}f} % more tokens{interval}"
    interval = _interval(high and 1 - high, low and 1 - low, 100, digits)
    return f"{100 * (1 - ratio):.{digits}f} % fewer tokens{interval}"


def amount(number: float) -> str:
    """A number of tokens or rows in three digits: `950`, `12.3 k`, `1.23 M`."""
    size = float(f"{number:.3g}")
    power = min(len(UNITS) - 1, int(math.log10(max(size, 1))) // 3)
    return f"{size / 1000**power:.3g} {UNITS[power]}".rstrip()


def named(system: str) -> str:
    """A system as it is called within a sentence: `the base`, and all others by their labels."""
    return f"the {system}" if system == BASE else system


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _interval(low: float | None, high: float | None, scale: float, digits: int) -> str:
    if low is None or high is None:
        return ""
    return f" [{_plain(scale * low, digits)}, {_plain(scale * high, digits)}]"


def _plain(value: float, digits: int) -> str:
    """A number without a negative zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text
