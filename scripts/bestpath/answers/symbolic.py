"""Symbolic equality through math-verify. It may hang or crash: call it only in a worker (see `workers`).

math-verify is generous: it ignores the case of letters, rounds to six decimals and drops differences below
1e-15. So what it accepts must also agree at a sample point, to a relative precision.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

import sympy
from latex2sympy2_extended.latex2sympy2 import NormalizationConfig
from math_verify import parse, verify
from math_verify.parser import LatexExtractionConfig

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that we set no time limit; we kill instead

_ONLY_LATEX = [
    LatexExtractionConfig(
        boxed_match_priority=0,
        # Units are no part of a tidy expression; math-verify would take the variables h, t and o for some.
        normalization_config=NormalizationConfig(
            basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all", equations=False
        ),
    )
]
_POINTS = tuple(sympy.Rational(n, 100) for n in (137, 229, 61, 353, 83))  # values of up to five variables
_DIGITS = 30
_PRECISION = 10**9
_PRECISION_OF_DECIMALS = 10**6


@lru_cache(maxsize=4096)
def _parsed(tidied: str) -> Any:
    """The sympy form of an expression, or None if math-verify cannot read it."""
    found = parse(f"\\boxed{{{tidied}}}", _ONLY_LATEX, fallback_mode="no_fallback", parsing_timeout=None)
    return found[0] if len(found) == 1 else None


def _letters(tidied: str) -> set[str]:
    return set(re.sub(r"\\[A-Za-z]+", "", tidied)) & set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _differ_in_case_only(answer: str, gold: str) -> bool:
    ours, theirs = _letters(answer), _letters(gold)
    return ours != theirs and {letter.lower() for letter in ours} == {letter.lower() for letter in theirs}


def _value(expression: Any, symbols: list[Any]) -> Any | None:
    """The value of an expression at the sample point, or None if it has none."""
    value = expression.doit().subs(dict(zip(symbols, _POINTS, strict=False))).evalf(_DIGITS)
    return value if value.is_number and value.is_finite else None


def _agree_at_a_point(ours: Any, theirs: Any) -> bool:
    """False only if both have a value at the sample point and the values differ."""
    if not (isinstance(ours, sympy.Expr) and isinstance(theirs, sympy.Expr)):
        return True
    symbols = sorted(ours.free_symbols | theirs.free_symbols, key=str)
    if len(symbols) > len(_POINTS):
        return True
    a, g = _value(ours, symbols), _value(theirs, symbols)
    if a is None or g is None:
        return True
    precision = _PRECISION_OF_DECIMALS if ours.has(sympy.Float) or theirs.has(sympy.Float) else _PRECISION
    return bool(abs(a - g) * precision <= max(abs(a), abs(g)))


def symbolically_equal(answer: str, gold: str) -> bool:
    """Whether two tidy LaTeX expressions are equal; False if one of them cannot be read."""
    if _differ_in_case_only(answer, gold):
        return False
    ours, theirs = _parsed(answer), _parsed(gold)
    if ours is None or theirs is None:
        return False
    # Also a hundred times faster than a failed attempt to simplify the difference.
    if not _agree_at_a_point(ours, theirs):
        return False
    return bool(verify(theirs, ours, timeout_seconds=None, allow_set_relation_comp=True))
