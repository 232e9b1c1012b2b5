r"""The released verifier against the tables of docs/gsi.md, beside ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.answers.equivalence import equal
from bestpath.answers.extraction import extract
from bestpath.methods.gsi import released_verifier

KINDS = {
    "gsm8k": "number",
    "svamp": "number",
    "aqua": "choice",
    "mathqa": "choice",
    "math": "math",
    "theoremqa": "math",
}
OPTIONS = tuple((label, f"the value {label}") for label in "ABCDE")
RAMBLING = "The answer is 40\n\nQuestion: Tom has 3 pens and 96 more.\n\nThe answer is 99"


@pytest.mark.parametrize(
    ("dataset", "text", "compat", "ours"),
    [
        ("gsm8k", "The answer is $1,250.00.", "1250", "1250"),
        ("gsm8k", "The answer is 3 boxes of 4 eggs", "3", "3"),
        ("gsm8k", "She has 5 left, then 8 more make 13", "13", None),
        ("gsm8k", "The answer is 10/4", "2.5", "2.5"),
        ("gsm8k", "The answer is .5", "5", "0.5"),
        ("gsm8k", "The answer is 5 - 3 = 2", "5", "2"),
        ("gsm8k", RAMBLING, "40", "40"),
        ("gsm8k", "We think first.\n\nThe answer is 4.\n\nThe answer is 5", "", "5"),
        ("math", r"The answer is x = \frac12", r"\frac{1}{2}", "1/2"),
        ("math", "The answer is x+y-z+1=0", "0", "x+y-z+1=0"),
        ("math", r"The answer is 5 \text{ cm}", "5", "5"),
        ("math", r"The answer is \sqrt[4]{8}", r"\sqrt{[}4]{8}", r"\sqrt[4]{8}"),
        ("aqua", "The answer is (C) 35", "C", "C"),
        ("aqua", "so we have a profit", "A", None),
        ("aqua", "The answer is a loss: E", "A", "E"),
        ("theoremqa", "the final nodes are 7", "False", None),
    ],
)
def test_what_both_extract(dataset: str, text: str, compat: str, ours: str | None) -> None:
    assert released_verifier.extract(text, dataset) == compat
    found = extract(text, KINDS[dataset], OPTIONS if KINDS[dataset] == "choice" else ()).answer
    if found is None or ours is None:
        assert found == ours
    else:
        assert equal(found, ours, KINDS[dataset], OPTIONS if KINDS[dataset] == "choice" else ())


@pytest.mark.parametrize(
    ("answer", "gold", "compat", "ours"),
    [
        ("7", "7", True, True),
        ("0.5", r"\frac{1}{2}", False, True),
        ("1", "1.0", False, True),
        ("1/2", r"\frac{1}{2}", False, True),
        ("3.14", "3.1416", False, False),
        ("", "", True, False),
    ],
)
def test_what_both_take_for_equal(answer: str, gold: str, compat: bool, ours: bool) -> None:
    assert released_verifier.equal(answer, gold) == compat
    assert equal(answer, gold, "math") == ours


def test_options_are_equal_whatever_their_case() -> None:
    assert released_verifier.equal("b", "B") and equal("b", "B", "choice", OPTIONS)
    assert released_verifier.equal("It is (c), clearly", "(c)")


@given(
    st.text(st.sampled_from("0123456789/.,=-\\{}[]()$% \nabAyesno") | st.characters(), max_size=300),
    st.sampled_from(released_verifier.DATASETS),
)
def test_any_text_has_an_outcome(text: str, dataset: str) -> None:
    assert isinstance(released_verifier.extract(text, dataset), str)


@pytest.mark.parametrize("unit", ["9", "(", r"\frac", r"\sqrt", "{", "1/", "The answer is ", "a ", "\n\n", "="])
@pytest.mark.parametrize("dataset", released_verifier.DATASETS)
def test_no_repetition_takes_long(dataset: str, unit: str) -> None:
    released_verifier.extract(unit * 20_000, dataset)
