r"""The approximate value of an expression, for telling apart expressions that are clearly different.

Plain arithmetic only: numbers, fractions, roots, powers, pi, and variables, which stand for fixed values. Whatever
else there is, or can be read in two ways (`1/2x`, `3\frac{1}{2}`), has no estimate. No text is ever executed.
"""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[0-9]*\.?[0-9]+")
_TOKEN = re.compile(rf" |{_NUMBER.pattern}|\\[A-Za-z]+|.", re.DOTALL)
_SECOND_NUMBER = re.compile(r" ?[0-9.]|\\frac\{[0-9]+\}\{[0-9]+\}")
_VARIABLES = {
    letter: 1 + (0.6180339887 * n) % 1
    for n, letter in enumerate("abcdfghjklmnopqrstuvwxyzABCDFGHJKLMNOPQRSTUVWXYZ", start=1)
}  # not e, i, E, I: numbers or variables, as the case may be
_LARGEST = 1e100
_CLEARLY = 1e-6  # relative to the values
_ROUNDING = 1e-9  # relative to the largest number on the way


class _NoEstimateError(Exception):
    pass


class _Expression:
    """A recursive descent over the tokens of one expression."""

    def __init__(self, tidied: str) -> None:
        self._text = tidied
        self._position = 0
        self._token = ""
        self.largest = 0.0
        self._advance()

    def value(self) -> float:
        value = self._sum()
        if self._token:
            raise _NoEstimateError
        return value

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._position)
        self._token = match[0] if match else ""
        self._position += len(self._token)
        if self._token == " ":
            self._advance()

    def _expect(self, token: str) -> None:
        if self._token != token:
            raise _NoEstimateError
        self._advance()

    def _noted(self, value: float | complex) -> float:
        if isinstance(value, complex) or not abs(value) < _LARGEST:
            raise _NoEstimateError
        self.largest = max(self.largest, abs(value))
        return value

    def _sum(self) -> float:
        value = self._product()
        while self._token in ("+", "-"):
            sign = 1 if self._token == "+" else -1
            self._advance()
            value = self._noted(value + sign * self._product())
        return value

    def _product(self) -> float:
        if self._token in ("+", "-"):
            sign = 1 if self._token == "+" else -1
            self._advance()
            return sign * self._product()
        value = self._power()
        while self._token and self._token not in "+-)}]":
            if self._token == "/":
                self._advance()
                value = self._noted(value / self._power())
                if self._token and self._token not in "+-/)}]":
                    raise _NoEstimateError  # 1/2x
                continue
            if self._token == r"\cdot":
                self._advance()
            value = self._noted(value * self._power())
        return value

    def _power(self) -> float:
        value = self._atom()
        if self._token == "^":
            self._advance()
            value = self._noted(value ** self._in_braces())
        return value

    def _in_braces(self) -> float:
        self._expect("{")
        value = self._sum()
        self._expect("}")
        return value

    def _atom(self) -> float:
        token = self._token
        start = self._position
        self._advance()
        if _NUMBER.fullmatch(token):
            if _SECOND_NUMBER.match(self._text, start):
                raise _NoEstimateError
            return self._noted(float(token))
        if token == r"\frac":
            numerator = self._in_braces()
            return self._noted(numerator / self._in_braces())
        if token == r"\sqrt":
            degree = 2.0
            if self._token == "[":
                self._advance()
                degree = self._sum()
                self._expect("]")
            return self._noted(self._in_braces() ** (1 / degree))
        if token == r"\pi":
            return math.pi
        if token == "(":
            value = self._sum()
            self._expect(")")
            return value
        if token in _VARIABLES:
            return _VARIABLES[token]
        raise _NoEstimateError


def _estimate(tidied: str) -> tuple[float, float] | None:
    """The value and the largest number on the way to it."""
    try:
        expression = _Expression(tidied)
        return expression.value(), expression.largest
    except (_NoEstimateError, ArithmeticError, RecursionError):
        return None


def estimate(tidied: str) -> float | None:
    r"""The value of an expression without variables, or None.

    >>> estimate(r"\frac{\sqrt{16}}{2}+1")
    3.0
    """
    if re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", tidied)):
        return None
    found = _estimate(tidied)
    return None if found is None else found[0]


def clearly_different(answer: str, gold: str) -> bool:
    """Whether two tidy expressions have estimates that differ by more than rounding can explain."""
    ours, theirs = _estimate(answer), _estimate(gold)
    if ours is None or theirs is None:
        return False
    difference = abs(ours[0] - theirs[0])
    size, largest = max(abs(ours[0]), abs(theirs[0])), max(ours[1], theirs[1])
    return difference > _CLEARLY * size and difference > _ROUNDING * largest
