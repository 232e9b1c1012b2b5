from __future__ import annotations

import pytest

from bestpath.methods.gsi.leaks import is_copy, loops, mentions_help, tells_answer
from tests.methods.gsi.toy import REFERENCE


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("As the given answer is 17, we add.", True),
        ("Following the reference solution, we add.", True),
        ("After the correction we get 17.", True),
        ("We add 12 and 5. The answer is 17.", False),
        ("She gave 12 and was given 5.", False),
    ],
)
def test_mentions_of_help(text: str, mentions: bool) -> None:
    assert mentions_help(text) == mentions


def test_a_copy_is_a_reference_nearly_word_for_word() -> None:
    assert is_copy(REFERENCE, REFERENCE)
    assert is_copy(REFERENCE.replace("\n", "  \n"), REFERENCE)
    assert not is_copy("4 * 3 = 12\nand then 12 + 5 = 17, which is the answer", REFERENCE)
    assert not is_copy(REFERENCE, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[STEP1]: add 3\n[STEP2]: add 3\n[STEP3]: add 3", True),
        ("add 3\nadd 3\nadd 4", False),
        ("\n\n\n\n", False),
    ],
)
def test_the_same_line_three_times_is_a_loop(text: str, said: bool) -> None:
    assert loops(text) == said


@pytest.mark.parametrize(
    ("feedback", "tells"),
    [("it should be 17.", True), ("it should be 170", False), ("17.5 is wrong", False), ("line 1 is wrong", False)],
)
def test_feedback_that_states_the_answer(feedback: str, tells: bool) -> None:
    assert tells_answer(feedback, "17") == tells
