r"""The outer structure of an answer: matrix, tuple, interval, set, list, union, ratio; and its elements.

All functions read text that `latex.tidy` made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_MATRIX = re.compile(r"\\begin\{([pbBv]?matrix|array)\}(?:\{[clr|]+\})?(.*)\\end\{\1\}", re.DOTALL)
_RATIO = re.compile(r"[^:=]+(?::[^:=]+)+")
_BRACKETS = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Structure:
    """`frame` tells apart structures of one kind: the brackets of a tuple or interval, a matrix's shape."""

    kind: Literal["matrix", "bracketed", "set", "list", "union", "ratio"]
    parts: tuple[str, ...]
    frame: str = ""

    @property
    def ordered(self) -> bool:
        return self.kind not in ("set", "union")


def split_outside_brackets(tidied: str, separator: str) -> list[str]:
    """Split at a separator where no bracket of any kind is open."""
    parts: list[str] = []
    depth = start = position = 0
    while position < len(tidied):
        if depth == 0 and tidied.startswith(separator, position):
            parts.append(tidied[start:position].strip())
            position = start = position + len(separator)
            continue
        depth += (tidied[position] in "([{") - (tidied[position] in ")]}")
        position += 1
    return [*parts, tidied[start:].strip()]


def enclosed(tidied: str) -> bool:
    """Whether the bracket that opens the text closes at its very end."""
    depth = 0
    for position, character in enumerate(tidied):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return 0 < position == len(tidied) - 1
    return False


def structure_of(tidied: str) -> Structure | None:
    r"""The structure of a text, or None if it is a single value.

    >>> structure_of(r"(3,5]")
    Structure(kind='bracketed', parts=('3', '5'), frame='(]')
    """
    if match := _MATRIX.fullmatch(tidied):
        rows = [row.split("&") for row in match[2].split(r"\\") if row]
        kind = "determinant" if match[1] == "vmatrix" else "matrix"
        shape = f"{kind} {'/'.join(str(len(row)) for row in rows)}"
        return Structure("matrix", tuple(cell for row in rows for cell in row), shape)
    if len(parts := split_outside_brackets(tidied, r"\cup")) > 1:
        return Structure("union", tuple(parts))
    if tidied.startswith(r"\{") and tidied.endswith(r"\}") and enclosed(tidied[1:]):
        return Structure("set", tuple(split_outside_brackets(tidied[2:-2], ",")))
    if len(parts := split_outside_brackets(tidied, ",")) > 1:
        return Structure("list", tuple(parts))
    if tidied[:1] in _BRACKETS and tidied[-1:] in _BRACKETS.values() and enclosed(tidied):
        inside = split_outside_brackets(tidied[1:-1], ",")
        return Structure("bracketed", tuple(inside), tidied[0] + tidied[-1]) if len(inside) > 1 else None
    if tidied.count(r"\pm") == 1:
        plus, minus = (re.sub(r"\\pm ?", sign, tidied) for sign in "+-")
        return Structure("set", (plus.removeprefix("+"), minus))
    if _RATIO.fullmatch(tidied) and len(parts := split_outside_brackets(tidied, ":")) > 1:
        return Structure("ratio", tuple(parts))
    return None
