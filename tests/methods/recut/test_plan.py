"""Which variant of ReCUT owns a stage, which models there are, and what they are called."""

from __future__ import annotations

from typing import Any

import pytest

from bestpath.catalog import METHODS, Experiment
from bestpath.core.declarations import Named
from bestpath.core.errors import UserError
from bestpath.planning.configuration import load


def experiment(seeds: tuple[int, ...] = (1,), **recut: Any) -> Experiment:
    return Experiment(load({"seeds": list(seeds), "methods": {"recut": recut}}))


@pytest.mark.parametrize(
    ("variant", "stage", "item", "home"),
    [
        ("rounds_2", "explore", "", "main"),
        ("rounds_2", "candidates", "", "rounds_2"),
        ("rounds_8", "candidates", "", "main"),
        ("rounds_8", "merge", "ties", "main"),
        ("released_pairs", "candidates", "", "main"),
        ("released_pairs", "pairs", "length", "released_pairs"),
        ("union", "candidates", "", "main"),
        ("sequential", "train", "length", "main"),
        ("sequential", "train", "sequential", "sequential"),
        ("ipo", "pairs", "accuracy", "main"),
        ("ipo", "reference", "length", "main"),  # the loss changes no log-probability
        ("ipo", "train", "length", "ipo"),
        ("merge_sweep", "train", "length", "main"),
        ("merge_sweep", "merge", "ties", "main"),
        ("merge_sweep", "merge", "slerp", "merge_sweep"),
        ("merge_sweep", "choice", "", "merge_sweep"),
        ("both_wrong_figure", "explore", "", "both_wrong_figure"),
        ("sft_shortest", "train", "sft", "sft_shortest"),
        ("sft_shortest", "optimal", "", "main"),
        ("characters", "pairs", "length", "characters"),
    ],
)
def test_a_stage_with_the_settings_of_an_earlier_variant_is_its_artifact(
    variant: str, stage: str, item: str, home: str
) -> None:
    assert experiment().home("recut", variant, stage, item) == home


def test_a_stage_that_a_variant_lacks_is_nobody_s() -> None:
    for stage, item in (("choice", ""), ("merge", "ties"), ("train", "length")):
        with pytest.raises(ValueError, match=f"variant union of recut has no {stage}"):
            experiment().home("recut", "union", stage, item)


def test_only_twins_are_merged() -> None:
    made, recut = experiment(), METHODS["recut"]
    main, union = (made.own["recut", variant] for variant in ("main", "union"))
    assert recut.trained(made.settings, main) == ("length", "accuracy")
    assert recut.merged(made.settings, main) == tuple(main.merge.methods)
    assert (recut.trained(made.settings, union), recut.merged(made.settings, union)) == (("union",), ())


def test_each_model_is_there_once_and_shared_ones_are_their_owner_s() -> None:
    names = [model.name for model in experiment((1, 2), run=["main", "sequential", "rounds_8"]).trained()]
    assert len(names) == len(set(names))
    assert "recut/sequential/s2/sequential" in names
    assert not any(name.startswith(("recut/rounds_8", "recut/sequential/s1/length")) for name in names)


def test_a_system_is_called_by_its_variant_unless_that_is_main() -> None:
    named = METHODS["recut"].named
    assert named("main", "length") == Named("length specialist", "specialist")
    assert named("ipo", "ties") == Named("merged: ties (ipo)", "merged")
    assert named("union", "union").kind == "baseline"


def test_the_sequential_specialist_starts_from_the_other_and_needs_its_reference() -> None:
    made = experiment()
    training = made.training("recut", "sequential", "sequential")
    assert (training.start, training.rows.item, training.rates) == ("length", "accuracy", [1e-4, 2e-4])
    needs = made.needs_of("recut", "sequential", "reference", "sequential")
    assert [need.item for need in needs["start"]] == ["length"]
    assert made.training("recut", "sft_shortest", "sft").reference is None


def test_who_cannot_continue_an_answer_is_not_asked_to() -> None:
    models = {"base": {"endpoint": {"url": "https://example.com/v1", "model": "m"}}}
    explore = {"explore": {"continuation": "prefill"}}
    with pytest.raises(UserError, match=r"variant 'main' sets explore\.continuation to prefill.*continues_prefill"):
        load({"models": models, "methods": {"recut": explore}})
    models["base"]["endpoint"]["continues_prefill"] = True
    assert load({"models": models, "methods": {"recut": explore}}).methods.recut.explore.continuation == "prefill"
