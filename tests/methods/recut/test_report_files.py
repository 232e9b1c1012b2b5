from __future__ import annotations

import pytest

from bestpath.catalog import Experiment
from bestpath.methods.recut.report.files import entries, facts
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring


@pytest.fixture(scope="module")
def view():
    settings = load({"experiment": "mine", "methods": {"recut": {"run": ["main", "sft_shortest"]}}, "seeds": [3, 4]})
    return Wiring(Experiment(settings)).of("recut")


def test_every_file_is_named_once_but_those_that_variants_share(view):
    given = list(entries(view))
    assert all(entry["path"].startswith("results/mine/") for entry in given)
    trials = [entry for entry in given if entry["name"] == "trials"]
    one, other = ([e["path"] for e in trials if e["variant"] == variant] for variant in ("main", "sft_shortest"))
    assert one == other and len(set(one)) == len(one) > 1  # both variants take the exploration of main, shard by shard
    assert all(entry["draws"] for entry in trials)
    others = [entry["path"] for entry in given if entry["name"] != "trials"]
    assert len(set(others)) == len(others)


def test_labels_tell_what_a_file_is_of(view):
    given = list(entries(view))

    def labels(name, *wanted):
        return [tuple(entry[label] for label in wanted) for entry in given if entry["name"] == name]

    rates = view.own("main").train.learning_rates.model_dump()
    assert labels("metrics", "system", "learning_rate", "seed") == [
        (f"{name} specialist", rate, 3) for name in ("length", "accuracy") for rate in rates[name]
    ]
    assert labels("choice", "system") == labels("training_set", "system")
    assert labels("funnel", "variant") == [("main",), ("sft_shortest",)]
    assert labels("merge_choice", "variant") == [("main",)]
    assert labels("dev_samples", "system")[0] == ("base",)
    assert labels("merge", "merge") == [(name,) for name in view.section.merge.methods]


def test_facts_say_what_a_variant_changes_and_ends_with(view):
    main, sft = facts(view)["variants"]
    assert main["overlay"] == {} and sft["overlay"] == view.section.variants["sft_shortest"]
    assert main["ends_with"] == {name: f"merged: {name}" for name in view.section.merge.methods}
    assert sft["ends_with"] == {"": "SFT (sft_shortest)"}
