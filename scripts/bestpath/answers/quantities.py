r"""Numbers as people write them: thousands separators, fractions, mixed numbers, percent, currency, units.

Values are exact (`Fraction`); nothing here touches a float. All functions read text that `latex.tidy` made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_DIGITS = r"(?:\d{1,3}(?:[, ]\d{3})+|\d+)"
_DECIMAL = rf"(?:{_DIGITS}(?:\.\d*)?|\.\d+)"
_NUMBER = (
    r"(?P<sign>[-+]?)(?:\\\$)?(?:"
    rf"(?P<whole>\d+)?\\frac\{{(?P<n>-?{_DECIMAL})\}}\{{(?P<d>-?{_DECIMAL})\}}"
    r"|(?P<mixed>\d+) (?P<n2>\d+)/(?P<d2>\d+)"
    rf"|(?P<n3>{_DECIMAL})(?:/(?P<d3>{_DECIMAL}))?"
    r")(?:(?:\\cdot10\^\{(?P<power>-?\d{1,3})\})|[eE](?P<exponent>[-+]?\d{1,3})(?![\dA-Za-z]))?"
)
_CURRENCY = r"(?P<currency>\\\$|[€£¥₹]|(?:Rs\.?|USD|US\\\$)\s*)"
_UNIT = r"(?:\\text\{(?P<unit>[^{}]*)\}(?:\^\{\d\})?(?:/(?:\\text\{[^{}]*\}|[A-Za-z]+))?)"
_QUANTITY = re.compile(rf"(?P<outer>-?){_CURRENCY}?{_NUMBER}(?P<percent>%)?(?P<degree>\^\{{\\circ\}})?{_UNIT}?")
_FIRST = re.compile(_NUMBER)
_REPEATING = re.compile(r"(?P<sign>-?)(?P<fixed>\d*\.\d*)\\(?:overline|bar)\{(?P<period>\d+)\}")
_LONGEST = 200  # characters; Python refuses to convert very long digit strings

_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_UNITS = {
    name: unit
    for unit, names in {
        "mm": "mm millimeter millimeters millimetre millimetres",
        "cm": "cm centimeter centimeters centimetre centimetres",
        "m": "m meter meters metre metres",
        "km": "km kms kilometer kilometers kilometre kilometres",
        "in": "in inch inches",
        "ft": "ft foot feet",
        "yd": "yd yard yards",
        "mi": "mi mile miles",
        "mg": "mg milligram milligrams",
        "g": "g gm gms gram grams",
        "kg": "kg kilogram kilograms",
        "lb": "lb lbs pound pounds",
        "oz": "oz ounce ounces",
        "s": "s sec secs second seconds",
        "min": "min mins minute minutes",
        "h": "h hr hrs hour hours",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years",
        "degree": "degree degrees",
        "radian": "radian radians",
        "dollar": "dollar dollars usd",
        "cent": "cent cents",
        "am": "am",
        "pm": "pm",
    }.items()
    for name in names.split()
}


@dataclass(frozen=True)
class Quantity:
    """An exact number and how it was written.

    `places` counts the decimals if it was written with a decimal point, else None. `unit` is one of the
    known units, or None when there is none or it is unknown (apples).
    """

    value: Fraction
    places: int | None = None
    percent: bool = False
    unit: str | None = None


def _fraction(digits: str) -> Fraction:
    return Fraction(digits.replace(",", "").replace(" ", "") + ("0" if digits.endswith(".") else ""))


def _value(match: re.Match[str]) -> Fraction | None:
    numerator = _fraction(match["n"] or match["n2"] or match["n3"])
    denominator = match["d"] or match["d2"] or match["d3"]
    if denominator is not None:
        if (divisor := _fraction(denominator)) == 0:
            return None
        numerator /= divisor
    value = numerator + int(match["whole"] or match["mixed"] or 0)
    value *= Fraction(10) ** int(match["power"] or match["exponent"] or 0)
    return -value if match["sign"] == "-" else value


def _repeating_value(match: re.Match[str]) -> Fraction:
    places, period = len(match["fixed"].partition(".")[2]), match["period"]
    value = Fraction(f"0{match['fixed']}0") + Fraction(int(period), 10**places * (10 ** len(period) - 1))
    return -value if match["sign"] else value


def _places(match: re.Match[str]) -> int | None:
    if match["n3"] is None or match["d3"] or match["power"] or match["exponent"] or "." not in match["n3"]:
        return None
    return len(match["n3"].partition(".")[2])


@lru_cache(maxsize=65536)
def parse_quantity(tidied: str) -> Quantity | None:
    r"""The quantity that the whole text is, or None.

    >>> parse_quantity(r"-\frac{3}{4}").value
    Fraction(-3, 4)
    >>> parse_quantity(r"1,250.00\text{dollars}")
    Quantity(value=Fraction(1250, 1), places=2, percent=False, unit='dollar')
    """
    while tidied.startswith("(") and tidied.endswith(")"):
        tidied = tidied[1:-1]
    if len(tidied) > _LONGEST:
        return None
    if repeating := _REPEATING.fullmatch(tidied):
        return Quantity(_repeating_value(repeating))
    if not (match := _QUANTITY.fullmatch(tidied)):
        return None
    if (value := _value(match)) is None or (match["outer"] and match["sign"]):
        return None
    word, *_ = (match["unit"] or "").replace(".", "").lower().split() or [""]
    value *= 10 ** _SCALES.get(word, 0)
    unit = "degree" if match["degree"] else "dollar" if "$" in match[0] else _UNITS.get(word)
    places = None if word in _SCALES else _places(match)
    return Quantity(-value if match["outer"] else value, places, bool(match["percent"]), unit)


def numbers_in(tidied: str) -> Iterator[tuple[Fraction, bool]]:
    """Every number of a text, each with whether it stands alone.

    It does not when it is part of an expression: an operand, an exponent, a coefficient, an argument.
    """
    if len(tidied) > 10 * _LONGEST:
        return
    for match in _FIRST.finditer(tidied):
        if (value := _value(match)) is None:
            continue
        before, after = tidied[: match.start()], tidied[match.end() :]
        operand = re.search(r"[\^_{/*+!]$|\d:$|[A-Za-z]$|\\[A-Za-z]+ ?$", re.sub(r"\\text\{[^{}]*\}$", "", before))
        applied = re.match(r"\s*(?:[\^_/*+:!(]|-\s*[\d\\]|\\(?!text|\$)|[A-Za-z]+[^A-Za-z,.\s])", after)
        degree = re.match(r"\^\{\\circ\}", after)
        yield value, not operand and (not applied or degree is not None)


def _close(answer: Quantity, gold: Quantity) -> bool:
    """Exact equality; where a decimal point shows rounding, equality up to that rounding.

    An answer more precise than a decimal gold must round to it and differ by at most 1e-4 of it; a
    decimal answer must be the rounding of a fraction to within 1e-6 (docs/answers.md). Integers are never rounded.
    """
    if answer.value == gold.value:
        return True
    if answer.places is None and gold.places is None:
        return False
    difference: Fraction = abs(answer.value - gold.value)
    size: Fraction = abs(gold.value)
    if difference * 10**6 <= min(size, Fraction(1)):  # what is left of a program's floating point
        return answer.places != gold.places
    if gold.places:
        return difference * 10**4 <= size and difference * 2 * 10**gold.places <= 1
    if answer.places and gold.value.denominator > 1:
        return difference * 10**6 <= size and difference * 2 * 10**answer.places <= 1
    return False


def same_quantity(answer: Quantity, gold: Quantity) -> bool:
    """Whether two quantities are equal; a missing or unknown unit matches any, 50% is both 50 and 1/2.

    A proportion of 100% or more is only the number itself: 800% is 800, not 8.
    """
    if answer.unit and gold.unit and answer.unit != gold.unit:
        return False
    if answer.percent == gold.percent:
        return _close(answer, gold)
    part, whole = (answer, gold) if answer.percent else (gold, answer)
    as_fraction = abs(part.value) < 100 and part.value == whole.value * 100
    return whole.unit is None and (_close(answer, gold) or as_fraction)


def rounds_to(exact: Fraction, rounded: Quantity) -> bool:
    """Whether a number becomes the other when it is rounded to the other's decimals."""
    if rounded.value == 0 or (rounded.places is None and rounded.value.denominator > 1):
        return False
    return bool(abs(exact - rounded.value) * 2 * 10 ** (rounded.places or 0) <= 1)


def roughly_same(answer: Quantity, gold: Quantity) -> bool:
    """Whether a laxer comparison accepts: rounding, percent for fraction, another or no unit."""
    for one, other in ((answer, gold), (gold, answer)):
        if one.value.denominator > 1 and rounds_to(one.value, other):
            return True
        if one.value * 100 == other.value and (other.percent or one.value.denominator > 1):
            return True
    return answer.value == gold.value


def written(value: Fraction) -> str:
    """The shortest usual form: an integer, a decimal that ends, or a fraction.

    >>> written(Fraction(10, 4)), written(Fraction(1, 3))
    ('2.5', '1/3')
    """
    rest, places = value.denominator, 0
    while rest % 10 == 0:
        rest, places = rest // 10, places + 1
    for prime in (2, 5):
        while rest % prime == 0:
            rest, places = rest // prime, places + 1
    if value.denominator == 1 or rest > 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}".rstrip("0")
