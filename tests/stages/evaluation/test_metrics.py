from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.stages.evaluation.metrics import compare, items_of, measure, metric_rows
from bestpath.stages.evaluation.tables import METRICS


def score(problem, sample=0, verdict="correct", n_tokens=10, finish="stop"):
    return {
        "problem_id": problem,
        "sample_id": f"{problem}.{sample}",
        "answer": None if verdict == "no_answer" else "1",
        "verdict": verdict,
        "rule": "boxed",
        "n_tokens": n_tokens,
        "finish_reason": finish,
    }


def several(tokens, verdict="correct"):
    return [score(f"p{i}", n_tokens=n, verdict=verdict) for i, n in enumerate(tokens)]


verdicts = st.sampled_from(["correct", "wrong", "no_answer", "timeout"])
outcomes = st.tuples(verdicts, st.integers(1, 300), st.sampled_from(["stop", "stop", "length"]))


@st.composite
def scored(draw, problems=None):
    """Scores of some problems, one to three samples each."""
    problems = draw(st.integers(2, 8)) if problems is None else problems
    rows = []
    for p in range(problems):
        for i, (verdict, n_tokens, finish) in enumerate(draw(st.lists(outcomes, min_size=1, max_size=3))):
            rows.append(score(f"p{p}", i, verdict, n_tokens, finish))
    return rows


@st.composite
def two_systems(draw):
    problems = draw(st.integers(2, 8))
    return draw(scored(problems)), draw(scored(problems))


def test_the_specification_s_example_of_token_ratios():
    compared = compare({0: several([60, 240])}, {0: several([100, 300])}, seed=1, resamples=100)
    assert compared.token_ratio == pytest.approx(0.75)
    assert compared.token_ratio_items == pytest.approx(0.70)


def test_the_specification_s_example_of_a_standard_error():
    rows = [score(f"p{i}", verdict="correct" if i < 13 else "wrong") for i in range(30)]
    measured = measure({0: rows})
    assert measured.accuracy == pytest.approx(0.4333, abs=5e-5)
    assert measured.accuracy_se == pytest.approx(0.0905, abs=5e-5)


def test_a_truncated_sample_is_wrong_and_counts_its_full_length():
    measured = measure({0: [score("a", n_tokens=20), score("b", n_tokens=100, finish="length")]})
    assert measured.accuracy == 0.5
    assert measured.tokens == 60
    assert (measured.tokens_correct, measured.tokens_wrong) == (20, 100)
    assert measured.truncation == 0.5


def test_a_failed_sample_is_not_correct_and_has_no_length():
    measured = measure({0: [score("a", n_tokens=20), score("b", verdict="no_answer", n_tokens=0, finish="error")]})
    assert (measured.accuracy, measured.tokens, measured.errors) == (0.5, 20, 0.5)


def test_a_problem_without_any_length_takes_no_part_in_the_token_ratio_but_in_accuracy():
    failed = score("p1", verdict="no_answer", n_tokens=0, finish="error")
    compared = compare({0: [score("p0", n_tokens=5), failed]}, {0: several([10, 1000])}, seed=1, resamples=50)
    assert compared.token_ratio == 0.5
    assert compared.delta == -0.5


def test_an_undecided_sample_is_neither_correct_nor_wrong():
    measured = measure({0: [score("a", n_tokens=7), score("b", verdict="timeout", n_tokens=50)]})
    assert (measured.accuracy, measured.undecided, measured.tokens_wrong) == (0.5, 0.5, None)


def test_a_problem_weighs_the_same_however_many_samples_it_has():
    rows = [score("a", i) for i in range(9)] + [score("b", verdict="wrong", n_tokens=30)]
    measured = measure({0: rows})
    assert (measured.accuracy, measured.tokens) == (0.5, 20)
    assert (measured.problems, measured.samples) == (2, 10)


def test_seeds_are_averaged_by_problem_and_their_spread_is_reported():
    base = {0: several([10] * 4, "wrong")}
    one = [score(f"p{i}", verdict="correct" if i < 2 else "wrong") for i in range(4)]
    two = [score(f"p{i}", verdict="correct" if i < 3 else "wrong", n_tokens=20) for i in range(4)]
    measured = measure({1: one, 2: two})
    assert measured.accuracy == pytest.approx(0.625)
    assert measured.accuracy_seed_sd == pytest.approx(math.sqrt(2) / 8)
    assert measured.tokens == 15
    compared = compare({1: one, 2: two}, base, seed=1, resamples=100)
    assert compared.delta == pytest.approx(0.625)
    assert compared.delta_seed_sd == pytest.approx(math.sqrt(2) / 8)
    assert compared.ratio_seed_sd == pytest.approx(math.sqrt(2) / 2)


def test_a_seed_is_set_against_the_base_of_the_same_seed():
    low, high = several([10] * 3, "wrong"), several([10] * 3)
    compared = compare({1: high, 2: low}, {1: high, 2: low}, seed=1, resamples=50)
    assert compared.delta_seed_sd == 0


def test_the_interval_agrees_with_the_normal_one_on_many_problems():
    rng = random.Random(5)
    base = [score(f"p{i}", verdict=rng.choice(["correct", "wrong"]), n_tokens=rng.randint(50, 90)) for i in range(600)]
    model = [score(f"p{i}", verdict=rng.choice(["correct", "wrong"]), n_tokens=rng.randint(30, 60)) for i in range(600)]
    compared = compare({0: model}, {0: base}, seed=3)
    difference = items_of(model).accuracy - items_of(base).accuracy
    margin = 1.96 * difference.std() / math.sqrt(600)
    assert compared.delta_low == pytest.approx(compared.delta - margin, abs=0.004)
    assert compared.delta_high == pytest.approx(compared.delta + margin, abs=0.004)
    assert compared.ratio_low < compared.token_ratio < compared.ratio_high < 0.7


def test_a_single_problem_has_no_interval():
    compared = compare({0: several([5])}, {0: several([10])}, seed=1)
    assert (compared.token_ratio, compared.ratio_low, compared.delta_low) == (0.5, None, None)


def test_metric_rows_fit_the_table_and_leave_out_what_does_not_exist():
    rows = several([10, 20], "wrong")
    made = metric_rows("m", "test", measure({0: rows}), compare({0: rows}, {0: rows}, seed=1, resamples=50))
    names = {row["metric"] for row in made}
    assert all(row.keys() == METRICS.columns.keys() for row in made)
    assert {"accuracy", "tokens", "token_ratio", "accuracy_minus_base"} <= names
    assert not {"tokens_correct", "accuracy_seed_sd"} & names


@pytest.mark.parametrize(("model", "base"), [(several([1, 2]), several([1, 2, 3])), (several([1]), [score("q0")])])
def test_different_problems_are_refused(model, base):
    with pytest.raises(UserError, match="same problems"):
        compare({0: model}, {0: base}, seed=1)


def test_seeds_on_different_problems_and_nothing_at_all_are_refused():
    with pytest.raises(UserError, match="different problems"):
        measure({1: several([1]), 2: several([1, 2])})
    with pytest.raises(UserError, match="no scored samples"):
        measure({})
    with pytest.raises(UserError, match="no scored samples"):
        measure({0: []})


@given(scored(), st.randoms())
def test_the_order_of_rows_does_not_matter(rows, rng):
    shuffled = rows[:]
    rng.shuffle(shuffled)
    assert measure({0: rows}) == pytest.approx(measure({0: shuffled}))


@given(scored())
def test_rates_are_shares_and_parts_add_up(rows):
    m = measure({0: rows})
    assert all(0 <= x <= 1 for x in (m.accuracy, m.truncation, m.no_answer, m.undecided, m.errors))
    assert m.accuracy_se <= 0.5 / math.sqrt(m.problems) + 1e-12
    lengths = [row["n_tokens"] for row in rows]
    assert min(lengths) <= m.tokens <= max(lengths)


@given(scored(), st.data())
def test_truncating_a_sample_never_helps(rows, data):
    cut = data.draw(st.sampled_from(rows))
    worse = [{**row, "finish_reason": "length"} if row is cut else row for row in rows]
    before, after = measure({0: rows}), measure({0: worse})
    assert after.accuracy <= before.accuracy
    assert after.tokens == before.tokens


@given(scored())
def test_a_system_compared_with_itself_shows_no_difference(rows):
    c = compare({0: rows}, {0: rows}, seed=1, resamples=60)
    assert (c.delta, c.delta_low, c.delta_high) == (0, 0, 0)
    assert (c.token_ratio, c.ratio_low, c.ratio_high) == (1, 1, 1)


@given(two_systems())
def test_the_comparison_is_antisymmetric(systems):
    one, two = systems
    there = compare({0: one}, {0: two}, seed=9, resamples=200)
    back = compare({0: two}, {0: one}, seed=9, resamples=200)
    assert there.delta == pytest.approx(-back.delta)
    assert there.delta_low == pytest.approx(-back.delta_high)
    assert there.token_ratio == pytest.approx(1 / back.token_ratio)
    assert there.ratio_low == pytest.approx(1 / back.ratio_high)


@given(two_systems(), st.integers(0, 5))
def test_the_bootstrap_repeats_with_its_seed_and_brackets_its_own_median(systems, seed):
    one, two = systems
    first = compare({0: one}, {0: two}, seed=seed, resamples=200)
    assert first == compare({0: one}, {0: two}, seed=seed, resamples=200)
    assert first.delta_low <= first.delta_high
    assert first.ratio_low <= first.ratio_high
