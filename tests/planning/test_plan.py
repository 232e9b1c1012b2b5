from __future__ import annotations

import pytest

from bestpath.plan import decodings, models, system_of
from bestpath.plan.recut import merged, owner, trained
from bestpath.settings import Settings

SETTINGS = Settings()


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
        ("ipo", "train", "length", "ipo"),
        ("merge_sweep", "train", "length", "main"),
        ("merge_sweep", "merge", "ties", "main"),
        ("merge_sweep", "merge", "slerp", "merge_sweep"),
        ("both_wrong_figure", "explore", "", "both_wrong_figure"),
        ("sft_shortest", "train", "sft", "sft_shortest"),
    ],
)
def test_a_stage_with_the_settings_of_an_earlier_variant_is_its_artifact(
    variant: str, stage: str, item: str, home: str
) -> None:
    assert owner(SETTINGS, variant, stage, item) == home


def test_only_twins_are_merged() -> None:
    assert trained(SETTINGS, "main") == ("length", "accuracy")
    assert merged(SETTINGS, "main") == tuple(SETTINGS.recut.merge.methods)
    assert merged(SETTINGS, "union") == ()


def test_each_model_is_named_once_and_shared_ones_by_their_owner() -> None:
    settings = SETTINGS.model_copy(
        update={"seeds": [1, 2], "recut": SETTINGS.recut.model_copy(update={"run": ["main", "sequential", "rounds_8"]})}
    )
    names = list(models(settings))
    assert len(names) == len(set(names))
    assert "recut/sequential/s2/sequential" in names
    assert not any(name.startswith(("recut/rounds_8", "recut/sequential/s1/length")) for name in names)


def test_a_system_is_named_with_its_variant_unless_that_is_main() -> None:
    assert system_of("base", "chain_of_draft")["system"] == "base, chain of draft prompt"
    assert system_of("recut/main/s1/length", "neutral")["system"] == "length specialist"
    assert system_of("recut/ipo/s2/ties", "neutral") == {
        "system": "merged: ties (ipo)",
        "kind": "merged",
        "variant": "ipo",
        "seed": 2,
    }


def test_a_set_is_sampled_as_often_as_it_says_and_dev_answered_greedily() -> None:
    source = SETTINGS.evaluation.sets["test"].model_copy(update={"samples": 16})
    evaluation = SETTINGS.evaluation.model_copy(update={"sets": {"test": source}})
    settings = SETTINGS.model_copy(update={"evaluation": evaluation})
    assert {name: d["samples"] for name, d in decodings(settings, "test").items()} == {"greedy": 1, "sampled": 16}
    assert {name: d["temperature"] for name, d in decodings(settings, "dev").items()} == {"greedy": 0.0}
