from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.answers.estimates import clearly_different, estimate
from bestpath.answers.latex import tidy

leaves = st.integers(1, 99).map(lambda n: (str(n), float(n))) | st.just((r"\pi", math.pi))


def combined(inner):
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: (f"({p[0][0]} + {p[1][0]})", p[0][1] + p[1][1])),
        pairs.map(lambda p: (f"({p[0][0]} - {p[1][0]})", p[0][1] - p[1][1])),
        pairs.map(lambda p: (rf"({p[0][0]} \cdot {p[1][0]})", p[0][1] * p[1][1])),
        pairs.filter(lambda p: abs(p[1][1]) > 0.01).map(
            lambda p: (rf"(\frac{{{p[0][0]}}}{{{p[1][0]}}})", p[0][1] / p[1][1])
        ),
        inner.filter(lambda e: e[1] >= 0).map(lambda e: (rf"\sqrt{{{e[0]}}}", math.sqrt(e[1]))),
        inner.filter(lambda e: abs(e[1]) < 1e6).map(lambda e: (rf"({e[0]})^2", e[1] ** 2)),
    )


expressions = st.recursive(leaves, combined, max_leaves=8)


@given(expressions)
def test_an_estimate_is_the_value(expression):
    text, value = expression
    found = estimate(tidy(text))
    assert found is not None and math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-6)


@given(expressions)
def test_equal_expressions_are_never_clearly_different(expression):
    text, _ = expression
    for other in (
        f"{text} + x - x",
        rf"\frac{{3 \cdot {text}}}{{3}}",
        rf"-(-{text})",
        rf"{text} + \sqrt{{8}} - 2\sqrt2",
    ):
        assert not clearly_different(tidy(text), tidy(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("2x", "x"), ("x", "X"), (r"\pi", "3.1416"), ("(x+1)^2", "x^2+1"), (r"\sqrt[3]{8}", "3"), (r"-2^2", "4")],
)
def test_clearly_different(one, other):
    assert clearly_different(tidy(one), tidy(other))


@pytest.mark.parametrize(
    "text", ["1/2x", r"3\frac{1}{2}", "5!", "x_1", r"\sin 1", "1/0", r"\sqrt{-1}", "9^{9^{9}}", "(1", ""]
)
def test_no_estimate(text):
    assert estimate(tidy(text)) is None
    assert not clearly_different(tidy(text), "7")


@given(st.text(alphabet=r"0123456789.x+-/^(){}[]\frac\sqrt\pi ", max_size=60))
def test_any_text_can_be_estimated(text):
    assert clearly_different(text, text) is False
