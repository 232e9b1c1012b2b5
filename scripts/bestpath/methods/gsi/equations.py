"""Whether the equations of a text hold (docs/gsi.md, 8): the check of steps, and what makes a right answer spurious.

`<<16-3-4=9>>` marks, and the step lines of the embedded world (`[STEP2]: 12 + 7 = 19, check 19 - 7 = 12`). The released
check compares Python's strings, so that 10/2=5 fails; here values are compared.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Result = Literal["ok", "wrong", "unreadable"]

_MARK = re.compile(r"<<([^<>\n]{1,200})>>")
_STEP = re.compile(r"^\[STEP\d+\]: (.{1,400})$", re.MULTILINE)
_EQUATION = re.compile(r"[-\d(][-+*/().,%\d\s]*(?:=\s*[-+*/().,%\d\s]+)+")
_OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_RELATIVE, _ABSOLUTE = 1e-6, 0.01
_DEEPEST = 50


@dataclass(frozen=True)
class Equation:
    """One equation: its sides as written, and whether they are equal."""

    sides: tuple[str, ...]
    result: Result


def equations(text: str) -> list[Equation]:
    """The equations of a text, in order, marked ones or those of step lines."""
    return [Equation(sides, _judged(sides)) for sides in _found(text)]


def has_wrong(text: str) -> bool:
    """Whether an equation of a text is wrong; unreadable ones are not (reject reason `bad_equation`)."""
    return any(equation.result == "wrong" for equation in equations(text))


def is_valid(text: str, answer: str | None = None) -> bool:
    """Whether a text derives its answer: it has equations, all hold, each goes on from the one before, and the last
    ends with `answer` (if that is a number).

    The honest counterpart of a right final answer: a text that is correct and not valid is spurious.
    """
    found = equations(text)
    if not found or any(equation.result != "ok" for equation in found):
        return False
    starts = _step_equations(text)
    if starts and answer is not None and value_of(answer) not in (None, value_of(starts[-1][-1])):
        return False
    return all(first_value(later[0]) == value_of(earlier[-1]) for earlier, later in itertools.pairwise(starts))


def fails_released(text: str) -> bool:
    """Whether the released check rejects a text: it compares the sides of every mark as Python prints their values."""
    return any(_printed(equation.sides[0]) != equation.sides[-1].strip() for equation in equations(text))


def _printed(expression: str) -> str:
    """What Python prints of simple arithmetic; a division gives a float there."""
    value = value_of(expression)
    if value is None:
        return ""
    return repr(value) if "/" in expression or "." in expression else repr(int(value))


def value_of(expression: str) -> float | None:
    """The value of simple arithmetic (+ - * / and brackets, thousands separators, percent); None for anything else."""
    cleaned = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", expression.replace("$", "").strip())
    cleaned = re.sub(r"(\d+(?:\.\d+)?)\s*%", r"(\1/100)", cleaned)
    cleaned = re.sub(r"(?<![\d.])0+(?=\d)", "", cleaned)
    try:
        return _value(ast.parse(cleaned, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        return None


def first_value(expression: str) -> float | None:
    """The number that an expression begins with."""
    match = re.match(r"\s*(-?\d[\d,]*(?:\.\d+)?)", expression)
    return value_of(match[1]) if match else None


def _found(text: str) -> Iterator[tuple[str, ...]]:
    for mark in _MARK.finditer(text):
        if "=" in mark[1]:
            yield tuple(mark[1].split("="))
    for step in _STEP.finditer(text):
        for equation in _EQUATION.finditer(step[1]):
            yield tuple(side.strip(" .,") for side in equation[0].split("="))


def _step_equations(text: str) -> list[tuple[str, ...]]:
    """The first equation of every step line: what the step does; what follows it checks."""
    found = (_EQUATION.search(step[1]) for step in _STEP.finditer(text))
    return [tuple(side.strip(" .,") for side in equation[0].split("=")) for equation in found if equation]


def _judged(sides: tuple[str, ...]) -> Result:
    values = [value_of(side) for side in sides]
    if any(value is None for value in values):
        return "unreadable"
    known = [value for value in values if value is not None]
    return "ok" if all(_close(known[0], value) for value in known[1:]) else "wrong"


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= max(_RELATIVE * max(abs(a), abs(b)), _ABSOLUTE)


def _value(node: ast.expr, depth: int = 0) -> float:
    """The value of a syntax tree of simple arithmetic. Raises ValueError for anything else."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _value(node.operand, depth + 1)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return float(_OPERATIONS[type(node.op)](_value(node.left, depth + 1), _value(node.right, depth + 1)))
    raise ValueError("no simple arithmetic")
