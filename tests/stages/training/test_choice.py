from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.training.choice import (
    Readout,
    choose_checkpoint,
    choose_learning_rate,
    choose_merge,
    is_admissible,
)

BASE = Readout(accuracy=0.8, mean_tokens=100.0, n=100)  # standard error 0.04


def test_standard_error_of_the_worked_example():
    assert Readout(13 / 30, 100.0, 30).standard_error == pytest.approx(0.0905, abs=1e-4)


def test_length_takes_the_fewest_tokens_within_one_standard_error():
    readouts = {0: BASE, 5: Readout(0.80, 90, 100), 10: Readout(0.76, 70, 100), 15: Readout(0.75, 50, 100)}
    assert choose_checkpoint(readouts, BASE, "length") == 10


def test_length_without_an_admissible_checkpoint_takes_the_most_accurate():
    readouts = {5: Readout(0.70, 60, 100), 10: Readout(0.72, 80, 100), 15: Readout(0.72, 70, 100)}
    assert choose_checkpoint(readouts, BASE, "length") == 15


def test_accuracy_takes_the_most_accurate_then_the_shortest_then_the_earliest():
    readouts = {5: Readout(0.85, 90, 100), 10: Readout(0.85, 80, 100), 15: Readout(0.85, 80, 100)}
    assert choose_checkpoint(readouts, BASE, "accuracy") == 10


def test_last_needs_no_base():
    assert choose_checkpoint({0: BASE, 5: BASE, 15: BASE, 10: BASE}, None, "last") == 15


def test_the_base_itself_is_never_chosen():
    readouts = {0: BASE, 5: Readout(0.1, 500, 100)}
    assert choose_checkpoint(readouts, BASE, "length") == 5
    assert choose_checkpoint(readouts, BASE, "accuracy") == 5


def test_learning_rates_are_compared_by_the_same_criterion_and_ties_go_to_the_smaller():
    runs = {1e-5: Readout(0.8, 95, 100), 2e-5: Readout(0.78, 70, 100), 5e-5: Readout(0.6, 40, 100)}
    assert choose_learning_rate(runs, BASE, "length") == 2e-5
    assert choose_learning_rate(runs, BASE, "accuracy") == 1e-5
    assert choose_learning_rate({5e-5: BASE, 1e-5: BASE}, BASE, "length") == 1e-5


def test_a_merge_must_be_no_less_accurate_than_the_base():
    merges = {"a": Readout(0.79, 40, 100), "b": Readout(0.80, 70, 100), "c": Readout(0.85, 70, 100)}
    assert choose_merge(merges, BASE) == "c"
    assert choose_merge({"a": merges["a"], "d": Readout(0.7, 10, 100)}, BASE) == "a"


readouts_strategy = st.builds(
    Readout, st.integers(0, 20).map(lambda k: k / 20), st.integers(10, 200).map(float), st.just(20)
)


@given(st.dictionaries(st.integers(1, 50), readouts_strategy, min_size=1, max_size=6), readouts_strategy)
def test_nothing_admissible_is_shorter_than_the_choice(readouts, base):
    chosen = readouts[choose_checkpoint(readouts, base, "length")]
    admissible = [r for r in readouts.values() if is_admissible(r, base)]
    if admissible:
        assert chosen.mean_tokens == min(r.mean_tokens for r in admissible)
    else:
        assert chosen.accuracy == max(r.accuracy for r in readouts.values())


@given(st.dictionaries(st.integers(1, 50), readouts_strategy, min_size=2, max_size=6), readouts_strategy)
def test_the_choice_so_far_can_be_kept_and_the_rest_forgotten(readouts, base):
    """The run keeps only the best checkpoint so far; this must not change the final choice."""
    for criterion in ("length", "accuracy"):
        kept: dict[int, Readout] = {}
        for step in sorted(readouts):
            kept[step] = readouts[step]
            best = choose_checkpoint(kept, base, criterion)
            kept = {best: kept[best]}
        assert next(iter(kept)) == choose_checkpoint(readouts, base, criterion)
