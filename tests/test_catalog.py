"""The catalog: settings composed of all methods', and what an experiment of several methods is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from bestpath.catalog import METHODS, NAMES, Experiment, Settings, defaults, pattern_of
from bestpath.core.declarations import Need
from bestpath.planning.configuration import load
from tests.conftest import ROOT

OWN_MODEL = {
    "models": {"base": {"source": "some/model"}},
    "problems": {"train": {"path": "some/train", "n": 100}},
    "evaluation": {"sets": {"mine": {"path": "some/test"}}},
}
BOTH: dict[str, Any] = {"methods": {"recut": {}, "gsi": {"iterations": 2}}}
HEAVY = {"torch", "pandas", "numpy", "pyarrow", "transformers"}


# --- what is loaded -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["catalog", "planning.wiring", *(f"methods.{name}.plan" for name in NAMES)])
def test_a_declaration_loads_nothing_heavy(module: str) -> None:
    """Snakemake reads the declarations at every start, and once more for every job on a cluster."""
    code = f"import bestpath.{module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()


def test_every_method_is_declared_under_its_name() -> None:
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in NAMES}
    assert len({method.title for method in METHODS.values()}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_of_a_method_is_whole(name: str) -> None:
    """Its account is one of its files, written by a rule that has a cost, and its roles are asked by a variant."""
    settings = load({"methods": {name: {}}})
    experiment = Experiment(settings)
    asked = {role for method, variant in experiment.own for role in experiment.roles(method, variant)}
    for stage in METHODS[name].stages.values():
        assert set(stage.roles) <= asked
        assert not stage.usage or (stage.usage in stage.files and stage.rule in METHODS[name].cost)
        assert all(not stage.item or f"{{{stage.item}}}" in pattern for pattern in stage.files.values())


# --- settings -----------------------------------------------------------------------------------------------------


def test_none_named_is_the_first_method() -> None:
    settings = load({})
    assert [name for name in NAMES if getattr(settings.methods, name) is not None] == [NAMES[0]]
    assert settings.embedded.lessons == ["recut"]


def test_a_method_that_is_named_has_its_defaults_and_no_other_is_there() -> None:
    settings = load({"methods": {"gsi": {}}})
    assert settings.methods.recut is None
    assert settings.methods.gsi.run == ["vanilla", "state_reset"]
    both = load(BOTH)
    assert both.methods.recut.run == ["main"] and both.methods.gsi.iterations == 2


def test_the_embedded_world_has_values_of_its_own() -> None:
    settings = load(BOTH)
    recut, gsi = settings.methods.recut, settings.methods.gsi
    assert (settings.base.dtype, settings.base.context, settings.evaluation.max_tokens) == ("float32", 512, 160)
    assert (settings.problems.train.fields.level, settings.problems.shard_size) == ("level", 400)
    assert (recut.train.learning_rates.accuracy, recut.train.lora.r, recut.merge.dtype) == ([1e-4, 2e-4], 0, "float32")
    assert (gsi.train.learning_rate, gsi.sample.max_tokens, gsi.guidance.teacher.max_tokens) == (3e-4, 160, 40)


def test_any_other_base_has_the_values_of_a_real_run() -> None:
    settings = load({**OWN_MODEL, **BOTH})
    recut, gsi = settings.methods.recut, settings.methods.gsi
    assert (settings.base.dtype, settings.base.context, settings.evaluation.max_tokens) == ("bfloat16", 4096, 2048)
    assert (settings.problems.train.fields.level, settings.problems.train.kind) == (None, "math")
    assert (recut.train.learning_rates.accuracy, recut.train.lora.r, recut.merge.dtype) == ([1e-6], 8, "bfloat16")
    assert (gsi.train.learning_rate, gsi.sample.max_tokens, gsi.guidance.teacher.max_tokens) == (1e-5, 1024, 1024)
    assert list(settings.evaluation.sets) == ["mine"]


def test_problems_of_one_s_own_have_no_fields_of_the_embedded_world() -> None:
    settings = load({"problems": {"train": {"path": "mine.jsonl", "n": 5}}})
    assert (settings.problems.train.fields.level, settings.problems.train.kind) == (None, "math")
    assert settings.evaluation.sets["test"].fields.level == "level"
    below = defaults({"evaluation": {"sets": {"test": {"path": "mine.jsonl"}}}})
    assert below["evaluation"]["sets"] == {}


def test_a_decoding_or_a_set_is_removed_by_null() -> None:
    settings = load({"evaluation": {"decodings": {"sampled": None}, "sets": {"more": {"path": "embedded:test"}}}})
    assert (list(settings.evaluation.decodings), list(settings.evaluation.sets)) == (["greedy"], ["test", "more"])


# --- several methods ----------------------------------------------------------------------------------------------


def test_methods_stand_side_by_side_in_the_order_of_the_catalog() -> None:
    experiment = Experiment(load({"methods": dict(reversed(BOTH["methods"].items()))}))
    assert list(experiment.methods) == ["recut", "gsi"]
    assert {model.method for model in experiment.trained()} == {"recut", "gsi"}
    assert [system.id for system in experiment.systems.values() if system.kind in {"base", "prompt"}] == [
        "base/recut/neutral",
        "base/recut/long",
        "base/recut/short",
        "base/gsi/plain",
    ]
    assert experiment.reference is experiment.base_system("recut")


def test_a_label_belongs_to_one_method() -> None:
    experiment = Experiment(load(BOTH))
    assert experiment.base_system("recut").label == "base"
    assert experiment.base_system("gsi").label == "base (GSI)"
    owners = {}
    for system in experiment.systems.values():
        assert owners.setdefault(system.label, system.method) == system.method
    alone = Experiment(load({"methods": {"gsi": {}}}))
    assert (alone.reference.id, alone.reference.label) == ("base/gsi/plain", "base")


def test_repetitions_share_a_label() -> None:
    experiment = Experiment(load({"seeds": [1, 2], "methods": {"gsi": {"run": ["vanilla"], "iterations": 1}}}))
    trained = [system for system in experiment.systems.values() if system.variant == "vanilla"]
    assert [(system.id, system.seed, system.iteration) for system in trained] == [
        ("gsi/vanilla/s1/t0", 1, 0),
        ("gsi/vanilla/s2/t0", 2, 0),
    ]
    assert len({system.label for system in trained}) == 1


def test_a_merge_is_made_from_its_parents_and_all_before_them() -> None:
    experiment = Experiment(load({"methods": {"recut": {"run": ["merge_sweep"]}}}))
    merge = next(model for model in experiment.trained(merges_only=True) if model.item == "slerp")
    assert merge.name == "recut/merge_sweep/s1/slerp"
    assert set(experiment.upstream(merge)) == {
        ("merge", "merge_sweep", "slerp"),
        ("train", "main", "length"),
        ("train", "main", "accuracy"),
        ("pairs", "main", "length"),
        ("pairs", "main", "accuracy"),
        ("candidates", "main", ""),
        ("optimal", "main", ""),
        ("explore", "main", ""),
    }
    assert [training.name for training in experiment.trainings(merge)] == [
        "recut/main/s1/length",
        "recut/main/s1/accuracy",
    ]


def test_a_need_stands_for_files_of_their_owner() -> None:
    experiment = Experiment(load(BOTH))
    shards = ["00000", "00001"]
    assert experiment.files("recut", "rounds_8", Need("explore", "trials"), 3, shards) == [
        "recut/main/s3/explore/00000.parquet",
        "recut/main/s3/explore/00001.parquet",
    ]
    files = experiment.files("recut", "ipo", Need("pairs", "dev", "length"), 1)
    assert files == ["recut/main/s1/pairs/length.dev.jsonl"]
    assert experiment.files("gsi", "brute", Need("train", "model", "t0"), 1) == [
        "models/gsi/vanilla/s1/t0/manifest.json"
    ]
    of_another = Need("guide", "graded", "0", variant="brute_uniform")
    assert experiment.files("gsi", "fill", of_another, 1, shards[:1]) == ["gsi/brute/s1/graded/0/guided/00000.parquet"]


def test_patterns_lie_in_the_method_s_folder_but_for_models() -> None:
    experiment = Experiment(load(BOTH))
    train = experiment.stage("gsi", "train")
    assert pattern_of("gsi", train, "choice") == "gsi/{variant}/s{seed}/train/{specialist}/choice.json"
    assert pattern_of("gsi", train, "model") == "models/gsi/{variant}/s{seed}/{specialist}/manifest.json"


def test_two_variants_share_what_does_not_differ_and_nothing_else() -> None:
    """A stage that is shared has the same settings and the same files upstream, whatever the variants."""
    experiment = Experiment(load({"methods": {"recut": {}, "gsi": {"iterations": 3}}}))
    for method, variant in experiment.own:
        declared, own = METHODS[method], experiment.own[method, variant]
        for item in declared.trained(experiment.settings, own):
            home = experiment.home(method, variant, "train", item)
            mine, theirs = (experiment.settings_of(method, v, "train", item) for v in (variant, home))
            assert mine == theirs
            needs = experiment.needs_of(method, variant, "train", item)
            files = [[experiment.files(method, v, need, 1) for [need] in needs.values()] for v in (variant, home)]
            assert files[0] == files[1]


# --- models and roles ---------------------------------------------------------------------------------------------


def test_what_is_trained_is_like_the_base_but_behind_no_endpoint() -> None:
    served = {"base": {"endpoint": {"url": "http://localhost:8000/v1", "model": "m"}, "context": 300}}
    experiment = Experiment(load({"models": served}))
    assert experiment.model_of("base").endpoint is not None
    trained = experiment.model_of("recut/main/s1/length")
    assert (trained.endpoint, trained.context) == (None, 300)
    assert list(experiment.endpoints()) == ["base"]


def test_an_entry_of_the_role_s_name_plays_it_unless_another_is_named() -> None:
    models = {"actor": {"dtype": "bfloat16"}, "other": {}}
    assert Experiment(load({"models": models})).player("recut", "main", "actor") == "actor"
    named = load({"models": models, "methods": {"recut": {"roles": {"actor": "other"}}}})
    assert Experiment(named).player("recut", "main", "actor") == "other"
    assert Experiment(load({})).player("recut", "main", "actor") == "base"


def test_the_schema_knows_every_method() -> None:
    sections = Settings.model_json_schema()["$defs"]["Methods"]["properties"]
    assert set(sections) == set(NAMES)
