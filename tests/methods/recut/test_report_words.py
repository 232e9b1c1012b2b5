from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.recut.report.words import BOTH_WRONG_LONGER, BOTH_WRONG_SHORTER, REASONS, meaning, why_kept
from bestpath.methods.recut.reward import Option, ranking, reward
from tests.methods.recut.toy import reward_rules


def side(mode, verdict="correct", tokens=50, **more):
    """A trial's row; its reward is that of the formula."""
    row = {
        "mode": mode,
        "verdict": verdict,
        "answer": None if verdict == "no_answer" else "1",
        "finish_reason": "stop",
        "n_tokens": tokens,
        "reward": (1 if verdict == "correct" else -1) / tokens,
        "step": "[STEP1]: so",
        "step_reject": None,
        "chosen": False,
        "switched": False,
        "stop": None,
    }
    return row | more


@pytest.mark.parametrize(
    ("long", "short", "says"),
    [
        (side("long", tokens=120), side("short", tokens=80, chosen=True), "both correct: the shorter completion wins"),
        (side("long", chosen=True), side("short", "wrong"), "only the long one is correct"),
        (side("long", "no_answer"), side("short", chosen=True), "only the short one is correct"),
        (side("long", "wrong", 120, chosen=True), side("short", "wrong", 80), BOTH_WRONG_LONGER),
        (side("long", "wrong", 120), side("short", "wrong", 80, chosen=True), BOTH_WRONG_SHORTER),
        (side("long"), side("short", chosen=True), "both correct with the same reward: the tie goes to short"),
        (
            side("long", "wrong"),
            side("short", "wrong", chosen=True),
            "both wrong with the same reward: the tie goes to short",
        ),
        (
            side("long", "no_answer", 900, finish_reason="length"),
            side("short", "wrong", chosen=True),
            "none is correct; the short one at least ends with an answer",
        ),
        (
            side("long", finish_reason="length"),
            side("short", "wrong", chosen=True),
            "none is correct; the short one at least ends with an answer",
        ),
        (
            side("long", "no_answer", 90, chosen=True),
            side("short", "no_answer", 40),
            "none ends with an answer: the better-rewarded is kept",
        ),
        (
            side("long", step=None, step_reject="no_step_marker"),
            side("short", "wrong", chosen=True, switched=True),
            "another completion ranks higher but has no usable step (no step marker): the short one's step is taken",
        ),
        (
            side("long", step=None, step_reject="empty_step", stop="stalled"),
            side("short", step=None, step_reject="no_step_marker", stop="stalled"),
            "nothing is kept: no step marker, the step is empty",
        ),
        (
            side("long", stop="repeated_step"),
            side("short", stop="repeated_step"),
            "the best step repeats a kept one: nothing is kept",
        ),
        (side("neutral"), side("neutral"), "whole solutions: no step is chosen among them"),
    ],
)
def test_why_a_step_was_kept(long, short, says):
    assert why_kept([long, short]) == says
    assert why_kept([short, long]) == says


def test_why_among_more_than_two():
    sides = [side("long", tokens=90), side("long", tokens=80), side("short", tokens=60, chosen=True)]
    assert why_kept(sides) == "the best two correct: the shorter completion wins"
    sides = [side("long", "wrong"), side("long", "wrong"), side("short", chosen=True)]
    assert why_kept(sides) == "the others are wrong"
    assert why_kept([side("long", chosen=True)]) == "the only completion"


options = st.builds(
    Option,
    mode=st.just("long"),
    index=st.just(0),
    correct=st.booleans(),
    complete=st.booleans(),
    length=st.integers(1, 200),
)


@given(options, options, st.sampled_from(["formula", "figure"]))
def test_the_words_agree_with_the_rule_s_own_choice(one, two, both_wrong):
    rules = reward_rules(both_wrong=both_wrong)
    pair = [one, Option("short", 0, two.correct, two.complete, two.length)]
    best = ranking(pair, rules)[0]
    rows = [
        side(
            option.mode,
            "correct" if option.correct and option.complete else "wrong",
            option.length,
            reward=reward(option, rules),
            answer="1" if option.complete else None,
            chosen=i == best,
        )
        for i, option in enumerate(pair)
    ]
    words, kept, other = why_kept(rows), rows[best], rows[1 - best]
    if "shorter completion wins" in words:
        assert kept["n_tokens"] < other["n_tokens"] and kept["verdict"] == other["verdict"] == "correct"
    if words == BOTH_WRONG_LONGER:
        assert both_wrong == "formula" and kept["n_tokens"] > other["n_tokens"]
    if words == BOTH_WRONG_SHORTER:
        assert both_wrong == "figure" and kept["n_tokens"] < other["n_tokens"]
    if words.startswith("only the"):
        assert kept["verdict"] == "correct" != other["verdict"]
    if "tie" in words:
        assert kept["mode"] == "short" and kept["n_tokens"] == other["n_tokens"]


def test_a_reason_code_without_an_entry_is_shown_as_it_is():
    assert meaning("no_longer_correct") == REASONS["no_longer_correct"]
    assert meaning("brand_new_reason") == "brand new reason"
