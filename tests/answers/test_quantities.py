from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bestpath.answers.latex import tidy
from bestpath.answers.quantities import parse_quantity, roughly_same, same_quantity, written


def quantity(text):
    found = parse_quantity(tidy(text))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", "18"),
        ("-3", "-3"),
        ("− 3", "-3"),
        ("007", "7"),
        ("$1,250.00", "1250"),
        ("-$5", "-5"),
        (r"\$ 251.60", "251.6"),
        ("Rs. 4400", "4400"),
        ("10 000", "10000"),
        (r"1\,450\,000", "1450000"),
        (".5", "1/2"),
        ("10/4", "5/2"),
        (r"-\dfrac{3}{4}", "-3/4"),
        (r"\frac{3}{-4}", "-3/4"),
        ("4 1/3 km/h", "13/3"),
        (r"3\frac12", "7/2"),
        ("9 ½", "19/2"),
        (r"0.1\overline{6}", "1/6"),
        ("1e-10", "1/10000000000"),
        (r"3 \times 10^4", "30000"),
        ("1.5 million dollars", "1500000"),
        ("(5)", "5"),
        ("50 %", "50"),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert quantity(text).value == Fraction(value)


@pytest.mark.parametrize(
    "text", ["", "x", "5x", "5ab", "1,2", "1,234,56", "2^{10}", "1/0", "5-3", "9 2 0 7", "9" * 999]
)
def test_these_are_no_numbers(text):
    assert parse_quantity(tidy(text)) is None


@given(st.fractions(max_denominator=10**6))
def test_the_written_form_is_read_back(value):
    assert quantity(written(value)).value == value


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_decimals_are_exact(number):
    assert quantity(f"{number:f}").value == Fraction(number)


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        ("1.0", "1", True),
        ("0.5", r"\frac{1}{2}", True),
        ("3.4", "3", False),
        ("0.515", "0.5", False),
        ("3.14", "3.1416", False),
        ("3.1416", "3.14", False),
        ("0.333333", "1/3", True),
        ("0.33", "1/3", False),
        ("2.9999999999996", "3", True),
        ("1450001", "1450000", False),
        ("1450000.5", "1450000", False),
        ("22.2101", "22.21", True),
        ("1234.6", "1234.5", False),
        ("0.0000001", "0.0000002", False),
        ("50%", "50", True),
        ("50%", "1/2", True),
        ("0.73", r"73\%", True),
        ("50", "0.5", False),
        ("800%", "8", False),
        ("10", r"10\text{ cm}", True),
        ("10 apples", "10", True),
        (r"10\text{ meters}", r"10\text{ cm}", False),
        ("10%", r"10\text{ cm}", False),
        ("120", r"120^\circ", True),
    ],
)
def test_equality(answer, gold, same):
    assert same_quantity(quantity(answer), quantity(gold)) is same


@pytest.mark.parametrize(
    ("answer", "gold", "rough"),
    [
        ("3.4", "3", True),
        ("3.14", "3.1416", True),
        ("0.33", "1/3", True),
        ("50", "0.5", True),
        ("800%", "8", True),
        (r"10\text{ meters}", r"10\text{ cm}", True),
        ("500", "5", False),
        ("-5", "5", False),
        ("6", "5", False),
        ("1/4", "7/24", False),
        ("1/44", "0", False),
    ],
)
def test_rough_equality(answer, gold, rough):
    assert roughly_same(quantity(answer), quantity(gold)) is rough


@given(st.integers(), st.integers())
def test_different_integers_are_never_equal(a, g):
    assume(a != g and max(abs(a), abs(g)) < 10**50)
    assert not same_quantity(quantity(str(a)), quantity(str(g)))
