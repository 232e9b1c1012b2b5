from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.gsi.prefixes import (
    CutRules,
    beginning,
    lines_revealed,
    tokens_revealed,
    without_answer,
    without_overlap,
)
from tests.methods.gsi.toy import REFERENCE, Words, cut_rules


@pytest.mark.parametrize(
    ("n", "revealed"),
    [
        (4, [1, 2, 3, 3, 1, 2, 3, 3]),
        (3, [1, 2, 2, 1, 2, 2, 1, 2]),
        (2, [1, 1, 1, 1, 1, 1, 1, 1]),
        (1, [0, 0, 0, 0, 0, 0, 0, 0]),
        (10, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_the_schedule_of_lines(n: int, revealed: list[int]) -> None:
    assert [lines_revealed(n, round_) for round_ in range(1, 9)] == revealed


@pytest.mark.parametrize(("n", "revealed"), [(11, [2, 4, 6, 8, 8, 2, 4, 6]), (5, [1, 2, 3, 4, 4, 1, 2, 3])])
def test_the_schedule_of_tokens(n: int, revealed: list[int]) -> None:
    assert [tokens_revealed(n, round_) for round_ in range(1, 9)] == revealed


@pytest.mark.parametrize(
    ("rules", "round_", "text"),
    [
        (cut_rules(), 1, "4 * 3 = 12\n"),
        (cut_rules(), 2, "4 * 3 = 12\n12 + 5 = 17\n"),
        (cut_rules(reveal_answer=True), 2, "4 * 3 = 12\n12 + 5 = 17\n"),
        (cut_rules(keep_last_step_hidden=True), 2, "4 * 3 = 12\n"),
        (cut_rules(), 4, "4 * 3 = 12\n"),
    ],
)
def test_the_example_of_the_page(rules: CutRules, round_: int, text: str) -> None:
    prefix = beginning(REFERENCE, round_, rules, Words())
    assert prefix is not None and prefix.text == text
    assert prefix.whole == ("+ 5" in text)


@pytest.mark.parametrize(
    ("reference", "reasoning"),
    [
        ("[STEP1]: 3 + 4 = 7\nFinal answer: \\boxed{7}", "[STEP1]: 3 + 4 = 7"),
        ("3 + 4 = <<3+4=7>>7\n#### 7", "3 + 4 = <<3+4=7>>7"),
        ("We add. So the answer is 7.", "We add."),
        (r"Adding gives $\boxed{7}$, as wanted.", "Adding gives"),
        (r"Then $x = \frac{\boxed{7}}{2}$.", "Then $x ="),
        ("a = 3\nb = 4\nprint(a + b)", "a = 3\nb = 4\n"),
        ("We add 3 and 4.", "We add 3 and 4."),
    ],
)
def test_the_answer_is_not_revealed(reference: str, reasoning: str) -> None:
    assert without_answer(reference) == reasoning


def test_a_reference_of_one_line_is_cut_by_tokens() -> None:
    prefix = beginning("one two three four five six seven", 1, cut_rules(), Words())
    assert prefix is not None and prefix.text == "one"
    assert beginning("one", 1, cut_rules(), Words()) is None
    assert beginning(r"\boxed{7}", 3, cut_rules(), Words()) is None


def test_sentences_are_a_unit() -> None:
    prefix = beginning("We add. Then we halve. The answer is 7.", 2, cut_rules(unit="sentence"), Words())
    assert prefix is not None and prefix.text.strip() == "We add. Then we halve."


def test_a_limit_holds_in_every_round() -> None:
    reference = "\n".join(f"{i} + 1 = {i + 1}" for i in range(10))
    for round_ in range(1, 12):
        prefix = beginning(reference, round_, cut_rules(most=0.3), Words())
        assert prefix is not None and prefix.share <= 0.3


class Characters:
    """A tokenizer of single bytes: its cuts fall anywhere, also within a character."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids) -> str:  # type: ignore[no-untyped-def]
        return bytes(ids).decode(errors="replace")


TEXTS = st.lists(
    st.sampled_from(
        [r"\frac{12}{35}", r"\sqrt[4]{8}", "1,250.75", "grün", "½", "x", " ", "\n", "$", "3/4", "- ", "=", "y."]
    ),
    min_size=1,
    max_size=14,
).map("".join)


@given(TEXTS, st.integers(1, 5))
def test_no_cut_breaks_a_command_a_number_or_a_character(reference: str, round_: int) -> None:
    prefix = beginning(reference, round_, cut_rules(unit="fraction"), Characters())
    if prefix is None:
        return
    text = prefix.text
    rest = reference.strip()[len(text) :]
    assert reference.strip().startswith(text)
    assert not text.endswith("\\") and text.count("{") == text.count("}")
    assert not (text[-1:].isalnum() and rest[:1].isalnum())
    assert not (text[-1:].isdigit() and rest[:1] in tuple(".,/") and rest[1:2].isdigit())


@pytest.mark.parametrize(
    ("prefix", "continuation", "rest"),
    [
        ("4 * 3 = 12\n", "12 + 5 = 17", "12 + 5 = 17"),
        ("4 * 3 = 12\n", "4 * 3 = 12\n12 + 5 = 17", "12 + 5 = 17"),
        ("1 + 1 = 2\n4 * 3 = 12\n", "4 * 3 = 12\n12 + 5 = 17", "12 + 5 = 17"),
        ("4 * 3 = 12\n", "12\n", "12\n"),  # too short to be no chance
    ],
)
def test_what_repeats_the_prefix_is_taken_off(prefix: str, continuation: str, rest: str) -> None:
    assert without_overlap(prefix, continuation) == rest
