from __future__ import annotations

import math
import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from bestpath.core.errors import UserError
from bestpath.core.systems import Comparison
from bestpath.stages.evaluation.comparison import compare
from bestpath.stages.evaluation.metrics import items_of
from tests.stages.evaluation.scores import compared, score, scored, several, two_systems


@st.composite
def some_systems(draw):
    """Two to four systems on the same problems, four samples each."""
    size = draw(st.integers(2, 30))
    rights = st.lists(st.integers(0, 4), min_size=size, max_size=size)
    lengths = st.lists(st.lists(st.integers(1, 400), min_size=4, max_size=4), min_size=size, max_size=size)
    return {
        f"system {number}": [
            score(f"p{p:02}", i, "correct" if i < right else "wrong", n_tokens)
            for p, (right, of_problem) in enumerate(zip(draw(rights), draw(lengths), strict=True))
            for i, n_tokens in enumerate(of_problem)
        ]
        for number in range(draw(st.integers(2, 4)))
    }


def interval_of_scipy(values, statistic, seed, resamples):
    """The interval of one pair by scipy's own paired bootstrap."""
    interval = bootstrap(
        values, statistic, n_resamples=resamples, batch=1000, vectorized=True, paired=True, method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(interval.low), float(interval.high)


@settings(max_examples=40)
@given(some_systems(), st.integers(0, 2**32), st.sampled_from([150, 1150]))
def test_shared_resamples_give_the_intervals_of_a_paired_bootstrap_of_each_pair_to_the_last_bit(
    systems, seed, resamples
):
    _, differences = compare({label: {0: rows} for label, rows in systems.items()}, seed, resamples)
    made = {(d.system, d.reference, d.metric): (d.value, d.ci_low, d.ci_high, d.n) for d in differences}
    assert len(made) == len(systems) * (len(systems) - 1)
    for reference, system in combinations(systems, 2):
        ours, theirs = items_of(systems[system]), items_of(systems[reference])
        delta = ours.accuracy - theirs.accuracy
        interval = interval_of_scipy((delta,), lambda d, axis: d.mean(axis=axis), seed, resamples)
        assert made[system, reference, "accuracy"] == (delta.mean(), *interval, len(delta))
        low, high = interval_of_scipy(
            (ours.tokens, theirs.tokens),
            lambda a, b, axis: np.log(a.mean(axis=axis) / b.mean(axis=axis)),
            seed,
            resamples,
        )
        ratio = ours.tokens.mean() / theirs.tokens.mean()
        assert made[system, reference, "tokens"] == (ratio, math.exp(low), math.exp(high), len(delta))


@settings(max_examples=20)
@given(some_systems(), st.integers(0, 100))
def test_a_pair_does_not_depend_on_the_other_systems_and_turns_around(systems, seed):
    _, differences = compare({label: {0: rows} for label, rows in systems.items()}, seed, 200)
    _, reverse = compare({label: {0: systems[label]} for label in reversed(systems)}, seed, 200)
    back = {(d.reference, d.system, d.metric): d for d in reverse}
    for d in differences:
        r = back[d.system, d.reference, d.metric]
        mirrored = (
            (-r.value, -r.ci_high, -r.ci_low) if d.metric == "accuracy" else (1 / r.value, 1 / r.ci_high, 1 / r.ci_low)
        )
        assert (d.value, d.ci_low, d.ci_high) == pytest.approx(mirrored)
        _, alone = compare({label: {0: systems[label]} for label in (d.reference, d.system)}, seed, 200)
        assert d in alone


def test_pairs_keep_the_order_of_the_systems_and_the_comparisons_are_with_the_first():
    systems = {label: {0: several(lengths)} for label, lengths in (("z", [10, 20]), ("a", [5, 5]), ("m", [10, 10]))}
    comparisons, differences = compare(systems, seed=1, resamples=100)
    assert [(d.system, d.reference) for d in differences] == 2 * [("a", "z"), ("m", "z"), ("m", "a")]
    assert comparisons["z"] == Comparison()
    assert [c.reference for c in comparisons.values()] == [None, "z", "z"]
    assert [d.value for d in differences[3:]] == [1 / 3, 2 / 3, 2]


def test_two_systems_with_gaps_are_resampled_on_their_common_problems():
    rng = random.Random(3)
    rows = {label: several([rng.randint(20, 90) for _ in range(12)]) for label in ("base", "whole", "gaps")}
    rows["gaps"][4] = score("p4", verdict="no_answer", n_tokens=0, finish="error")
    common = {label: [row for row in of if row["problem_id"] != "p4"] for label, of in rows.items()}

    def tokens(of):
        _, differences = compare({label: {0: own} for label, own in of.items()}, seed=7, resamples=300)
        return {(d.system, d.reference): d for d in differences if d.metric == "tokens"}

    assert tokens(rows)["gaps", "base"] == tokens(common)["gaps", "base"]
    assert tokens(rows)["gaps", "whole"] == tokens(common)["gaps", "whole"]
    without = {label: of for label, of in rows.items() if label != "gaps"}
    assert tokens(rows)["whole", "base"] == tokens(without)["whole", "base"]
    assert [d.n for d in tokens(rows).values()] == [12, 11, 11]


def test_ungraded_answers_are_compared_by_their_lengths_alone():
    against = compared({0: several([10, 30], "ungraded")}, {0: several([20, 60], "ungraded")}, seed=1, resamples=50)
    assert (against.delta, against.delta_low, against.delta_seed_sd) == (None, None, None)
    assert (against.token_ratio, against.ratio_low, against.ratio_high) == (0.5, 0.5, 0.5)


def test_a_system_without_any_token_has_no_ratio_and_one_with_few_no_interval():
    nothing, something = {0: several([0, 0, 0])}, {0: several([10, 20, 30])}
    assert compared(nothing, something, seed=1, resamples=50).token_ratio is None
    assert compared(something, nothing, seed=1, resamples=50).token_ratio is None
    against = compared(something, {0: several([0, 0, 30])}, seed=1, resamples=500)
    assert (against.token_ratio, against.ratio_low, against.ratio_high) == (2, None, None)


def test_the_specification_s_example_of_token_ratios():
    against = compared({0: several([60, 240])}, {0: several([100, 300])}, seed=1, resamples=100)
    assert against.token_ratio == pytest.approx(0.75)
    assert against.token_ratio_items == pytest.approx(0.70)


def test_a_problem_without_any_length_takes_no_part_in_the_token_ratio_but_in_accuracy():
    failed = score("p1", verdict="no_answer", n_tokens=0, finish="error")
    against = compared({0: [score("p0", n_tokens=5), failed]}, {0: several([10, 1000])}, seed=1, resamples=50)
    assert against.token_ratio == 0.5
    assert against.delta == -0.5


def test_a_seed_is_set_against_the_base_of_the_same_seed():
    low, high = several([10] * 3, "wrong"), several([10] * 3)
    against = compared({1: high, 2: low}, {1: high, 2: low}, seed=1, resamples=50)
    assert against.delta_seed_sd == 0


def test_the_interval_agrees_with_the_normal_one_on_many_problems():
    rng = random.Random(5)
    base = [score(f"p{i}", verdict=rng.choice(["correct", "wrong"]), n_tokens=rng.randint(50, 90)) for i in range(600)]
    model = [score(f"p{i}", verdict=rng.choice(["correct", "wrong"]), n_tokens=rng.randint(30, 60)) for i in range(600)]
    against = compared({0: model}, {0: base}, seed=3)
    difference = items_of(model).accuracy - items_of(base).accuracy
    margin = 1.96 * difference.std() / math.sqrt(600)
    assert against.delta_low == pytest.approx(against.delta - margin, abs=0.004)
    assert against.delta_high == pytest.approx(against.delta + margin, abs=0.004)
    assert against.ratio_low < against.token_ratio < against.ratio_high < 0.7


def test_a_single_problem_has_no_interval():
    against = compared({0: several([5])}, {0: several([10])}, seed=1)
    assert (against.token_ratio, against.ratio_low, against.delta_low) == (0.5, None, None)


@pytest.mark.parametrize(("model", "base"), [(several([1, 2]), several([1, 2, 3])), (several([1]), [score("q0")])])
def test_different_problems_are_refused(model, base):
    with pytest.raises(UserError, match="same problems"):
        compared({0: model}, {0: base}, seed=1)


@given(scored())
def test_a_system_compared_with_itself_shows_no_difference(rows):
    c = compared({0: rows}, {0: rows}, seed=1, resamples=60)
    assert (c.delta, c.delta_low, c.delta_high) == (0, 0, 0)
    assert (c.token_ratio, c.ratio_low, c.ratio_high) == (1, 1, 1)


@given(two_systems())
def test_the_comparison_is_antisymmetric(systems):
    one, two = systems
    there = compared({0: one}, {0: two}, seed=9, resamples=200)
    back = compared({0: two}, {0: one}, seed=9, resamples=200)
    assert there.delta == pytest.approx(-back.delta)
    assert there.delta_low == pytest.approx(-back.delta_high)
    assert there.token_ratio == pytest.approx(1 / back.token_ratio)
    assert there.ratio_low == pytest.approx(1 / back.ratio_high)


@given(two_systems(), st.integers(0, 5))
def test_the_bootstrap_repeats_with_its_seed_and_brackets_its_own_median(systems, seed):
    one, two = systems
    first = compared({0: one}, {0: two}, seed=seed, resamples=200)
    assert first == compared({0: one}, {0: two}, seed=seed, resamples=200)
    assert first.delta_low <= first.delta_high
    assert first.ratio_low <= first.ratio_high
