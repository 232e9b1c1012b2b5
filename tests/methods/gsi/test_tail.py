from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.gsi.select import references, select
from bestpath.methods.gsi.tables import TAIL
from bestpath.methods.gsi.tail import divergence, gini, groups_of, shares, tail, total_variation
from tests.methods.gsi.toy import PROMPTS, draw, plain_draws, problem, select_rules

REFERENCE_SHARES = dict(zip("12345", (0.075, 0.180, 0.212, 0.226, 0.307), strict=True))
SELF_GENERATED = dict(zip("12345", (0.228, 0.321, 0.231, 0.139, 0.080), strict=True))


def normalised(shares_: dict[str, float]) -> dict[str, float]:
    return {group: share / sum(shares_.values()) for group, share in shares_.items()}


def test_the_shares_of_the_figure() -> None:
    """The two rows of the paper's figure (docs/gsi.md, worked examples)."""
    own = normalised(SELF_GENERATED)
    assert total_variation(REFERENCE_SHARES, own) == pytest.approx(0.314, abs=0.001)
    assert divergence(REFERENCE_SHARES, own) == pytest.approx(0.316, abs=0.001)
    assert own["5"] / REFERENCE_SHARES["5"] == pytest.approx(0.26, abs=0.005)

    def mean(of: dict[str, float]) -> float:
        return sum(int(level) * share for level, share in of.items())

    assert (mean(REFERENCE_SHARES), mean(own)) == pytest.approx((3.51, 2.52), abs=0.01)


def test_a_group_that_vanished_is_infinitely_far() -> None:
    assert divergence({"1": 0.5, "2": 0.5}, {"1": 1.0, "2": 0.0}) == math.inf


@pytest.mark.parametrize(("values", "expected"), [([4, 4, 4, 4], 0.0), ([0, 0, 0, 8], 0.75), ([], 0.0), ([0, 0], 0.0)])
def test_gini(values: list[int], expected: float) -> None:
    assert gini(values) == pytest.approx(expected)


def test_without_levels_questions_are_grouped_by_their_first_pass_rate() -> None:
    problems = [problem(name, level=None) for name in "abc"]
    plain = [*plain_draws("a", 8), *plain_draws("b", 0), *plain_draws("c", 4)]
    assert groups_of(problems, plain) == {"a": "01: 1.00", "c": "02: 0.50", "b": "03: 0.00"}
    assert groups_of([problem("a", level=3)]) == {"a": "3"}


def measured(**settings: object) -> dict[tuple[str, str], float]:
    """The tail of a training set from an easy and a hard question."""
    problems = [problem("easy", level=1), problem("hard", level=5)]
    guided = [
        draw("hard", "guided", 1, 0, "wrong", "so 3", strategy="state_reset", prefix_share=0.5),
        draw("hard", "guided", 2, 0, "correct", "[STEP1]: 12 + 5 = 17\nso 17", prefix_share=0.5, all_revealed=True),
        draw("hard", "guided", 3, 0, "correct", "[STEP1]: 12 + 4 = 17\nso 17", prefix_share=0.25),
    ]
    draws = [*plain_draws("easy", 6), *plain_draws("hard", 0), *guided]
    found = select(problems, draws, PROMPTS["plain"], select_rules(min_rows=0, **settings))
    first, _ = references(problems, PROMPTS["plain"])
    rows = tail(found.rows, first, found.sampled, found.questions, groups_of(problems), perplexities=[2.04, 2.06, 30.0])
    assert all(row.keys() == TAIL.columns.keys() for row in rows)
    assert len({(row["metric"], row["group"]) for row in rows}) == len(rows)
    return {(row["metric"], row["group"]): row["value"] for row in rows}


def test_the_numbers_of_a_training_set() -> None:
    found = measured()
    expected = {
        ("rows", ""): 8,
        ("row_share", "1"): 6 / 8,
        ("row_share", "5"): 2 / 8,
        ("tail_retention", ""): 0.5,
        ("coverage", ""): 1.0,
        ("coverage", "5"): 1.0,
        ("tail_lost", ""): 0,
        ("questions_by_correct", "002"): 1,
        ("draws", "plain"): 16,
        ("draws", "guided"): 3,
        ("generated_tokens", "guided"): 30,
        ("plain_success", "5"): 0.0,
        ("plain_success", "1"): 6 / 8,
        ("guided_success", "5"): 2 / 3,
        ("guided_rows", ""): 2 / 8,
        ("human_share", ""): 0.75 / 8,
        ("all_revealed_rows", ""): 1 / 8,
        ("spurious", "guided"): 0.5,
        ("perplexity_share", "02.0"): 2 / 3,
        ("perplexity_share", "10.0"): 1 / 3,
        ("perplexity_median", ""): 2.06,
    }
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_copies_of_references_are_human_text() -> None:
    assert measured(fill=True, k=4)[("human_share", "")] == pytest.approx((0.75 + 2) / 10)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_gini_lies_between_none_and_all(values: list[int]) -> None:
    assert -1e-9 <= gini(values) < 1


@given(st.lists(st.sampled_from("ab"), min_size=1))
def test_shares_sum_to_one(names: list[str]) -> None:
    found = shares([{"problem_id": name} for name in names], {"a": "1", "b": "2"})
    assert sum(found.values()) == pytest.approx(1)
    assert total_variation(found, found) == 0 and divergence(found, found) == pytest.approx(0)
