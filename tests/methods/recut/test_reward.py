from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.recut.reward import Option, RewardRules, ranking, reward
from tests.methods.recut.toy import reward_rules

FIGURE = reward_rules(both_wrong="figure")


def option(mode: str, correct: int, length: int, complete: bool = True, index: int = 0) -> Option:
    return Option(mode, index, bool(correct), complete and length > 0, length)


def chosen(options: list[Option], rules: RewardRules) -> Option:
    return options[ranking(options, rules)[0]]


@pytest.mark.parametrize(
    ("long", "short", "r_long", "r_short", "formula", "figure"),
    [  # the worked examples of docs/recut.md
        ((1, 120), (1, 80), 0.008333, 0.0125, "short", "short"),
        ((1, 200), (0, 50), 0.005, -0.02, "long", "long"),
        ((0, 120), (1, 300), -0.008333, 0.003333, "short", "short"),
        ((0, 120), (0, 80), -0.008333, -0.0125, "long", "short"),
        ((0, 60), (0, 80), -0.016667, -0.0125, "short", "long"),
        ((0, 80), (0, 80), -0.0125, -0.0125, "short", "short"),
        ((1, 80), (1, 80), 0.0125, 0.0125, "short", "short"),
        ((0, 0), (0, 90), -math.inf, -0.011111, "short", "short"),
        ((0, 0), (0, 0), -math.inf, -math.inf, "short", "short"),
    ],
)
def test_worked_examples(long, short, r_long, r_short, formula, figure):
    options = [option("long", *long), option("short", *short)]
    assert [reward(o, reward_rules()) for o in options] == pytest.approx([r_long, r_short], abs=5e-7)
    assert chosen(options, reward_rules()).mode == formula
    assert chosen(options, FIGURE).mode == figure


def test_a_runaway_beats_an_honest_mistake_only_as_released():
    honest, runaway = option("long", 0, 80), option("short", 0, 2048, complete=False)
    assert chosen([honest, runaway], reward_rules()) is honest
    assert chosen([honest, runaway], reward_rules(unparsable_tier="same")) is runaway


def test_a_cut_completion_ranks_below_a_wrong_one_even_with_the_right_answer():
    wrong, cut = option("long", 0, 80), option("short", 1, 2048, complete=False)
    assert chosen([wrong, cut], reward_rules()) is wrong
    assert chosen([wrong, cut], reward_rules(unparsable_tier="same")) is cut


def test_of_two_cut_completions_the_same_one_wins_as_of_two_wrong_ones():
    long, short = option("long", 0, 120, complete=False), option("short", 0, 80, complete=False)
    assert chosen([long, short], reward_rules()) is long
    assert chosen([long, short], FIGURE) is short


def test_an_empty_completion_loses_against_anything():
    empty, cut = option("short", 0, 0), option("long", 0, 2048, complete=False)
    for rules in (reward_rules(), FIGURE, reward_rules(unparsable_tier="same"), reward_rules(beta=0.0)):
        assert chosen([empty, cut], rules) is cut


def test_without_a_penalty_two_mistakes_tie():
    options = [option("long", 0, 120), option("short", 0, 80)]
    assert chosen(options, reward_rules(beta=0.0)).mode == "short"
    assert chosen(options, reward_rules()).mode == "long"


def test_ties_among_several_samples():
    options = [
        option("long", 1, 80),
        option("short", 1, 80, index=1),
        option("short", 1, 80, index=0),
        option("long", 1, 70, index=1),
    ]
    assert ranking(options, reward_rules()) == [3, 2, 1, 0]


OPTIONS = st.lists(
    st.builds(
        Option,
        mode=st.sampled_from(["long", "short"]),
        index=st.integers(0, 3),
        correct=st.booleans(),
        complete=st.booleans(),
        length=st.integers(1, 5000),
    ),
    min_size=1,
    max_size=6,
)
WEIGHT = st.floats(0.01, 9)


@given(OPTIONS, WEIGHT, WEIGHT, st.integers(0, 5000), st.sampled_from(["formula", "figure"]))
def test_neither_weights_nor_a_shared_prefix_change_the_ranking(options, alpha, beta, prefix, both_wrong):
    longer = [Option(o.mode, o.index, o.correct, o.complete, o.length + prefix) for o in options]
    plain = ranking(options, reward_rules(both_wrong=both_wrong))
    assert ranking(options, reward_rules(alpha=alpha, beta=beta, both_wrong=both_wrong)) == plain
    assert ranking(longer, reward_rules(alpha=alpha, beta=beta, both_wrong=both_wrong)) == plain


@given(OPTIONS)
def test_one_ranking_without_tiers_is_the_plain_argmax_of_the_formula(options):
    rules = reward_rules(unparsable_tier="same")
    best = chosen(options, rules)
    assert reward(best, rules) == max(reward(o, rules) for o in options)
