from __future__ import annotations

import pytest

from bestpath.methods.gsi.report.story import Story, correct_by_level, numbers_of
from tests.methods.gsi.readings import reading, story

LEVELS = {"a": "1", "b": "1", "c": "2", "d": "2"}


def test_numbers_are_means_over_seeds() -> None:
    told = Story([reading("vanilla", 1, 1, share=0.1), reading("vanilla", 1, 2, share=0.3, right=(90, 50))])
    assert told.value("vanilla", 1, "row_share", "2") == pytest.approx(0.2)
    assert told.accuracy("vanilla", 1, ["2"]) == pytest.approx(0.4)
    assert told.spread("vanilla", 1, ["2"]) == pytest.approx(0.1)  # of two seeds: .3 and .5
    assert told.value("vanilla", 1, "unheard_of") is None


def test_a_single_seed_has_a_binomial_error() -> None:
    assert story().spread("vanilla", 1, ["2"]) == pytest.approx((0.3 * 0.7 / 100) ** 0.5)


def test_answers_are_counted_by_level() -> None:
    scores = [{"problem_id": name, "verdict": "correct" if name in "abc" else "wrong"} for name in "abcd"]
    assert correct_by_level(scores, LEVELS) == {"1": (2, 2), "2": (1, 2)}


def test_groups_are_those_that_a_number_is_known_of() -> None:
    assert story().groups("row_share", "vanilla", 1) == ["1", "2"]
    assert story().groups("unheard_of", "vanilla", 1) == []
    assert numbers_of([{"metric": "rows", "group": "", "value": 3.0}]) == {("rows", ""): 3.0}
