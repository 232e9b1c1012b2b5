from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.stages.evaluation.results import results_of
from bestpath.stages.evaluation.verdicts import (
    against_own_base,
    comparisons,
    decoding_verdicts,
    dominating,
    effect,
    headline,
    judgement,
    pair_verdicts,
    verdict,
    verdicts,
)
from tests.stages.evaluation.runs import base, results, run


@pytest.mark.parametrize(
    ("accuracy", "tokens", "says"),
    [
        (0.9, 38, "shorter, with no measurable change in accuracy"),
        (0.99, 38, "shorter and more accurate"),
        (0.5, 38, "shorter, but paid for with accuracy"),
        (0.5, 76, "a loss: less accurate and not shorter"),
        (0.5, 120, "a loss on both counts"),
        (0.99, 120, "more accurate, but longer"),
        (0.9, 120, "a loss: longer and not measurably more accurate"),
    ],
)
def test_a_verdict_says_gain_and_loss_alike(accuracy, tokens, says):
    assert says in verdict(results(base(), run("model", accuracy, tokens))[1])


def test_a_verdict_names_the_loss_that_the_interval_allows():
    made = results(base(), run("model", 0.895, 38))[1]
    assert "a loss of up to" in judgement(made)
    low = -100 * made.delta_low
    assert f"up to {low:.1f} points is not excluded" in judgement(made)


def test_a_verdict_mentions_seeds_and_truncation():
    made = results(base(), run("model", 0.8, 40, seed=1, cut=0.1), run("model", 0.7, 40, seed=2, cut=0.1))[1]
    assert "2 seeds, which differ by 7.1 points" in judgement(made)
    assert "10.0 % of its samples were cut off at 160 tokens" in judgement(made)


def test_verdicts_cover_every_system_but_the_base():
    made = results(base(), run("a", 0.9, 40), run("b", 0.9, 40))
    assert [sentence.split(":")[0] for sentence in verdicts(made)] == ["a", "b"]


def test_what_sampling_costs_is_said():
    made = results(
        base(),
        run("length specialist", 0.9, 38),
        run("prompted", 0.5, 38),
        run("base", 0.85, 70, "sampled", "base"),
        run("length specialist", 0.7, 35, "sampled"),
        run("prompted", 0.4, 35, "sampled"),
    )
    of_base, of_length = decoding_verdicts(made)
    assert of_base == "test: sampled instead of greedy costs base 5.0 points of accuracy (90.0 to 85.0 %)."
    assert of_length.startswith("test: length specialist is at +0.0 points [")
    assert "under greedy decoding, but at -15.0 points [" in of_length


def test_a_second_decoding_that_costs_nothing_is_said_too():
    made = results(base(), run("a", 0.9, 40), base(decoding="sampled"), run("a", 0.9, 40, "sampled"))
    assert decoding_verdicts(made) == [
        "test: sampled instead of greedy costs base 0.0 points of accuracy (90.0 to 90.0 %).",
        "test: no system that keeps the base's accuracy under greedy decoding measurably loses it under sampled "
        "decoding.",
    ]
    assert decoding_verdicts(results(base())) == []


def test_the_headline_is_about_the_chosen_system_in_every_decoding():
    made = results(
        base(),
        run("base", 0.8, 70, "sampled", "base"),
        run("merged", 0.9, 50, kind="merged"),
        run("merged", 0.6, 50, "sampled", "merged"),
    )
    greedy, sampled = headline(made, "merged")
    assert greedy.startswith("On 400 problems of test, under greedy decoding, merged writes 34 % fewer tokens [")
    assert sampled.startswith("Under sampled decoding it writes") and "paid for with accuracy" in sampled
    with pytest.raises(ValueError, match="no result of mergd"):
        headline(made, "mergd")


def test_a_verdict_on_an_ungraded_system_is_about_its_length():
    runs = [replace(one, scores=[{**row, "verdict": "ungraded"} for row in one.scores]) for one in
            (base(), run("critic", 0.9, 38), run("same", 0.9, 76))]  # fmt: skip
    made = results_of(runs, seed=1, resamples=300)
    shorter, same = verdicts(made.systems)
    assert shorter.startswith("critic: 50 % fewer tokens [") and shorter.endswith("]: shorter.")
    assert same.endswith("]: no measurable change in length.")
    assert decoding_verdicts(made.systems) == []
    assert dominating(made.systems[0], made.systems) == []


def test_any_two_systems_have_a_verdict():
    made = results_of([base(), run("a", 0.9, 40), run("b", 0.7, 40), run("c", 0.9, 76)], seed=1, resamples=300)
    of_base, between = pair_verdicts(made.differences, {"base", "a", "b"})[1:]
    assert of_base.startswith("test, greedy: b against the base: 47 % fewer tokens [")
    assert between.startswith("test, greedy: b against a: ")
    assert between.endswith(": a loss: less accurate and not shorter.")
    assert " at -20.0 points [" in between
    assert comparisons(made.differences)["test", "greedy"]["b", "a"].reference == "a"


def test_a_method_is_credited_with_nothing_that_its_prompt_brings():
    runs = [base(method="one"), run("a", 0.9, 40, method="one")]
    runs += [run("base (two)", 0.98, 50, kind="base", method="two"), run("b", 0.98, 40, method="two")]
    made = results_of(runs, seed=1, resamples=300)
    assert "at +8.0 points" in headline(made.systems, "b")[0]
    own = against_own_base(made.systems, made.differences)
    assert own[:3] == list(made.systems)[:3]  # its own base is set against the reference as ever
    assert "at +0.0 points" in headline(own, "b")[0] and ", against base (two): " in headline(own, "b")[0]


def test_a_reference_of_another_name_is_named():
    runs = [run("first", 0.9, 76), run("second", 0.9, 38)]
    runs += [run("first", 0.9, 76, "sampled"), run("second", 0.7, 38, "sampled")]
    made = results_of(runs, seed=1, reference="first", resamples=300).systems
    assert ", against first: shorter" in headline(made, "second")[0]
    assert "points [" in decoding_verdicts(made)[1] and "] against first under greedy" in decoding_verdicts(made)[1]


def test_the_reference_has_no_effect():
    with pytest.raises(ValueError, match="no effect"):
        effect(results(base())[0])
