from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.stages.evaluation.metrics import measure
from tests.stages.evaluation.scores import compared, score, scored, several


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
    against = compared({1: one, 2: two}, base, seed=1, resamples=100)
    assert against.delta == pytest.approx(0.625)
    assert against.delta_seed_sd == pytest.approx(math.sqrt(2) / 8)
    assert against.ratio_seed_sd == pytest.approx(math.sqrt(2) / 2)


def test_ungraded_answers_have_lengths_and_no_accuracy():
    measured = measure({0: several([20, 40], "ungraded")})
    assert (measured.accuracy, measured.accuracy_se, measured.accuracy_seed_sd) == (None, None, None)
    assert (measured.tokens, measured.tokens_median) == (30, 30)
    assert (measured.tokens_correct, measured.tokens_wrong) == (None, None)


def test_an_ungraded_problem_has_no_part_in_the_accuracy_of_the_others():
    measured = measure({0: [*several([10, 10, 10]), score("p3", verdict="wrong"), score("p4", verdict="ungraded")]})
    assert (measured.accuracy, measured.problems) == (0.75, 5)
    assert measured.accuracy_se == pytest.approx(math.sqrt(0.75 * 0.25 / 4))


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
