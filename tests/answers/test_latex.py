from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.answers.latex import balanced, nesting, tidy
from bestpath.answers.structures import structure_of


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        (r"$\left( \dfrac12,\, 5 \right)$.", r"(\frac{1}{2},5)"),
        (r"\tfrac{1}2", r"\frac{1}{2}"),
        (r"\frac 13", r"\frac{1}{3}"),
        (r"\sqrt3", r"\sqrt{3}"),
        ("5(√3 – 1)", r"5(\sqrt{3}-1)"),
        ("x²", "x^{2}"),
        ("2^10", "2^{10}"),
        (r"60^\circ", r"60^{\circ}"),
        ("60°", r"60^{\circ}"),
        (r"14,\!641", "14641"),
        (r"29{,}322{,}216", "29322216"),
        (r"1,000\pi", r"1000\pi"),
        ("81, 256", "81, 256"),
        ("2 \\pi r", r"2\pi r"),
        ("4 1/3", "4 1/3"),
        ("24 minutes", r"24\text{minutes}"),
        (r"\frac{1}{2}\text{ cm}", r"\frac{1}{2}\text{cm}"),
        ("18cm", r"18\text{cm}"),
        ("5st + 3ft", "5st+3ft"),
        (r"\mathbf{v}", "v"),
        (r"\text{\textbf{(A)}}", r"\text{(A)}"),
        ("xyz + 1", "xyz+1"),
        ("sqrt(3)", r"\sqrt{3}"),
        ("750pi", r"750\pi"),
        (r"x \leqslant y", r"x\le y"),
        ("50 percent", "50%"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
        (".5", ".5"),
        ("5.", "5"),
    ],
)
def test_one_spelling(text, tidied):
    assert tidy(text) == tidied


@given(st.text(max_size=100))
def test_any_text_can_be_tidied(text):
    assert "\0" not in tidy(text.replace("\0", ""))


@pytest.mark.parametrize(("text", "is_balanced"), [("{}", True), (r"\{", True), ("{", False), ("}{", False)])
def test_balanced(text, is_balanced):
    assert balanced(text) is is_balanced


def test_nesting():
    assert nesting("([{}])()") == 3


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("(3,5]", "bracketed", ("3", "5")),
        (r"\{1,2\}", "set", ("1", "2")),
        ("1,(2,3)", "list", ("1", "(2,3)")),
        (r"(-\infty,1)\cup(1,3)", "union", (r"(-\infty,1)", "(1,3)")),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "matrix", ("1", "2", "3", "4")),
        (r"3\pm\sqrt{2}", "set", (r"3+\sqrt{2}", r"3-\sqrt{2}")),
        ("4:51:06", "ratio", ("4", "51", "06")),
    ],
)
def test_structures(text, kind, parts):
    structure = structure_of(text)
    assert structure is not None and (structure.kind, structure.parts) == (kind, parts)


@pytest.mark.parametrize("text", ["5", "(5)", "(a+b)(a-b)", r"\frac{1}{2}", "f(x,y)", "x=5"])
def test_single_values_have_no_structure(text):
    assert structure_of(text) is None
