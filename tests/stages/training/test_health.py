from __future__ import annotations

from bestpath.stages.training.choice import Readout
from bestpath.stages.training.health import preference_warnings, readout_warnings

BASE = Readout(0.8, 100.0, 100)


def rows(name, values):
    return [{"step": step, "name": name, "value": value} for step, value in values.items()]


def names(warnings):
    return [(warning.step, warning.name) for warning in warnings]


def test_full_accuracy_at_the_first_evaluation_is_trivial_separation():
    assert names(preference_warnings(rows("dev/rewards/accuracies", {6: 1.0, 11: 0.9}))) == [(6, "trivial_separation")]
    assert not preference_warnings(rows("dev/rewards/accuracies", {6: 0.97, 11: 1.0}))


def test_winners_that_lose_more_than_30_percent_of_their_log_probability():
    assert names(preference_warnings(rows("dev/logps/chosen", {0: -50.0, 6: -64.0, 11: -66.0, 16: -80.0}))) == [
        (11, "chosen_logp_fall")
    ]
    assert not preference_warnings(rows("dev/logps/chosen", {0: -50.0, 6: -64.9, 11: -40.0}))


def test_a_length_that_moved_by_less_than_2_percent():
    unmoved = {0: BASE, 6: Readout(0.8, 98.5, 100)}
    assert names(readout_warnings(unmoved, 6, "length")) == [(6, "length_unchanged")]
    assert not readout_warnings(unmoved, 6, "accuracy")
    assert not readout_warnings({0: BASE, 6: Readout(0.8, 97.0, 100)}, 6, "length")
    assert not readout_warnings({}, 6, "length")


def test_a_choice_that_is_less_accurate_than_the_base():
    assert names(readout_warnings({0: BASE, 6: Readout(0.7, 50.0, 100)}, 6, "length")) == [(6, "less_accurate")]
