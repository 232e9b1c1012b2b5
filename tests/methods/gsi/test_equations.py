from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.gsi.equations import equations, fails_released, has_wrong, is_valid, value_of


@pytest.mark.parametrize(
    ("equation", "result"),
    [
        ("16-3-4=9", "ok"),
        ("10/2=5", "ok"),
        ("0.5*3=1.50", "ok"),
        ("5*3=14", "wrong"),
        ("1000+5=1,005", "ok"),
        ("200*15%=30", "ok"),
        ("$4*3=$12", "ok"),
        ("05+1=6", "ok"),
        ("1/3=0.33", "ok"),
        ("x+1=2", "unreadable"),
        ("1/0=1", "unreadable"),
        ("2**9999999=1", "unreadable"),
        ("__import__('os')=1", "unreadable"),
    ],
)
def test_the_examples_of_the_page(equation: str, result: str) -> None:
    [found] = equations(f"so <<{equation}>> it is")
    assert found.result == result
    assert has_wrong(f"<<{equation}>>") == (result == "wrong")


@pytest.mark.parametrize(
    ("equation", "released"),
    [("16-3-4=9", False), ("10/2=5", True), ("0.5*3=1.50", True), ("5*3=14", True), ("1000+5=1,005", True)],
)
def test_the_released_check_compares_strings(equation: str, released: bool) -> None:
    assert fails_released(f"so <<{equation}>> it is") == released


def test_a_derivation_ends_with_its_answer() -> None:
    text = "[STEP1]: 12 + 7 = 19\n[STEP2]: 19 - 4 = 15\nFinal answer: \\boxed{15}"
    assert is_valid(text, "15") and not is_valid(text, "16")


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("[STEP1]: 12 + 7 = 19\n[STEP2]: 19 - 4 = 15\nFinal answer: \\boxed{15}", True),
        ("[STEP1]: 12 + 7 = 19, check 19 - 7 = 12\n[STEP2]: 19 - 4 = 15, check 15 + 4 = 19", True),
        ("[STEP1]: it is clearly 7, as 19 - 8 - 4 = 7", True),
        ("[STEP1]: 12 + 7 = 18\n[STEP2]: 18 - 4 = 14", False),  # wrong
        ("[STEP1]: 12 + 7 = 19\n[STEP2]: 20 - 4 = 16", False),  # does not go on
        ("The answer is 15.", False),  # derives nothing
    ],
)
def test_a_valid_text_derives_its_answer(text: str, valid: bool) -> None:
    assert is_valid(text) == valid


@given(st.text("0123456789+-*/().,%$= <>x_'\"[]", max_size=60))
def test_nothing_but_arithmetic_has_a_value(text: str) -> None:
    value = value_of(text)
    assert value is None or isinstance(value, float)
    equations(f"<<{text}>>")
