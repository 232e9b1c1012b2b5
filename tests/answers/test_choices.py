from __future__ import annotations

import pytest

from bestpath.answers.equivalence import equal, loosely_equal
from bestpath.answers.extraction import extract

CHOICES = (("A", "24 minutes"), ("B", "32 minutes"), ("C", "35 minutes"), ("D", "D/(M-3)"), ("E", "None of these"))
TWICE = (("A", "8.75"), ("B", "8.79"), ("C", "8.75"))


def choice(text, choices=CHOICES):
    return extract(text, "choice", choices).answer


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The answer is C.", "C"),
        ("The answer is (C).", "C"),
        ("The answer is [C]", "C"),
        ("**Answer: (B)**", "B"),
        ("**Answer:** B", "B"),
        ("The answer is **E**", "E"),
        ("The answer is $B$.", "B"),
        ("Answer: B) 32 minutes", "B"),
        ("The correct answer is C. 35 minutes", "C"),
        ("The correct answer is option C: 35 minutes", "C"),
        ("The correct option is B.", "B"),
        ("Hence option E is right.", "E"),
        (r"\boxed{C}", "C"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{\textbf{(C)}\ 35}", "C"),
        (r"\boxed{35\text{ minutes}}", "C"),
        ("The answer is 24 minutes.", "A"),
        ("The answer is 24", "A"),
        ("The answer is 24 minutes after noon.", "A"),
        ("The answer is D/(M-3)", "D"),
        ("The answer is none of these.", "E"),
        ("the answer is (b)", "B"),
        ("The answer is A because it is.", "A"),
        ("#### E", "E"),
        ("We add the two.\nE", "E"),
        ("The answer is a loss: E", "E"),
    ],
)
def test_letters_and_option_texts(text, label):
    assert choice(text) == label


@pytest.mark.parametrize(
    "text",
    [
        "so we have a profit",
        "The answer is a",
        "The answer is a loss",
        "A train leaves. The answer is A train",
        "The answer is B or C",
        "The answer is (A), (B)",
        "The answer is H",
        r"\boxed{99}",
        "The answer is 2",
        "The options are (A) 24 (B) 32 (C) 35 (E) none",
    ],
)
def test_no_option_or_several(text):
    assert choice(text) is None


def test_options_with_the_same_text():
    assert choice("The answer is 8.75", TWICE) == "8.75"
    assert equal("8.75", "C", "choice", TWICE) and equal("8.75", "A", "choice", TWICE)
    assert not equal("8.75", "B", "choice", TWICE)
    assert not equal("A", "C", "choice", TWICE)
    assert loosely_equal("A", "C", "choice", TWICE)
    assert not loosely_equal("B", "C", "choice", TWICE)


def test_a_number_that_fits_two_options_is_no_answer():
    choices = (("A", "700 meters"), ("B", "700 kilometers"), ("C", "2% profit"), ("D", "2% loss"))
    assert choice("The answer is 700", choices) is None
    assert choice("The answer is 700 kilometers", choices) == "B"
    assert choice("The answer is 2% loss", choices) == "D"
    assert choice("The answer is 2% gain", choices) is None


def test_labels_without_options():
    assert extract("The answer is (H).", "choice").answer == "H"
    assert equal("H", "(h)", "choice")
