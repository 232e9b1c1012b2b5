"""A configuration: laid over the defaults, checked, and told what is wrong in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bestpath.catalog import METHODS, NAMES
from bestpath.core.errors import UserError
from bestpath.planning.configuration import load
from bestpath.settings.base import deep_merge, in_order
from scripts import write_docs
from tests.conftest import ROOT


def test_the_default_configuration_is_the_default_settings() -> None:
    assert load(yaml.safe_load((ROOT / "config/config.yaml").read_text())) == load({})


def test_the_default_configuration_stands_in_no_other_base_s_way() -> None:
    """What depends on the base is not in the file, as an overlay could not tell it from a choice of the user's."""
    common = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    own = {
        "models": {"base": {"source": "some/model"}},
        "problems": {"train": {"path": "some/train", "n": 100}},
        "evaluation": {"sets": {"mine": {"path": "some/test"}}},
    }
    assert load(deep_merge(common, own)).methods == load(own).methods
    settings = load(deep_merge(common, own)).model_dump(exclude={"embedded"})
    assert settings == load(own).model_dump(exclude={"embedded"})


def test_the_generated_files_are_those_of_the_settings() -> None:
    for path, text in write_docs.files().items():
        assert path.read_text("utf-8") == text, path


def test_the_schema_forces_no_defaults_on_an_overlay() -> None:
    schema = write_docs.files()[ROOT / "config/schema.json"]
    for word in ('"default":', '"title":', '"required":'):
        assert word not in schema
    for word in ('"samples_per_mode"', '"prefix_units"', '"dev_fraction"', '"additionalProperties": false'):
        assert word in schema


SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "config/schema.json").read_text("utf-8")))
CONFIGURATIONS = {
    path.relative_to(ROOT).as_posix(): yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((ROOT / "config").rglob("*.yaml"))
    if path.name != "throughput.yaml"
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_schema_takes_every_configuration_that_comes_with_bestpath(name: str) -> None:
    SCHEMA.validate(CONFIGURATIONS[name])


@pytest.mark.parametrize(
    "overlay",
    [
        {"methods": {"recut": None, "gsi": {}}, "embedded": {"lessons": ["gsi"]}},
        {"methods": {"recut": {"merge": {"methods": {"ties": None}}}}},
        {"methods": {"recut": {"variants": {"beta_0": None}}}},
        {"evaluation": {"decodings": {"sampled": None}}},
    ],
)
def test_null_removes_an_entry_by_the_schema_as_by_the_loader(overlay: dict[str, Any]) -> None:
    SCHEMA.validate(overlay)
    given: Any = overlay
    found: Any = load(overlay).model_dump()
    while isinstance(given, dict):
        name = next(iter(given))
        given, found = given[name], found.get(name)
    assert found is None
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({"evaluation": {"decodings": {"sampled": {"temperatur": None}}}})


def test_a_page_tells_the_defaults_of_both_worlds() -> None:
    pages = {path.name: text for path, text in write_docs.files().items()}
    assert (
        '| `methods.recut.merge.dtype` | `"float32"` or `"bfloat16"` | `"bfloat16"` | `"float32"` |'
        in pages["recut.md"]
    )
    assert "| `methods.gsi.guidance.k` | int | `4` | correct answers wanted" in pages["gsi.md"]
    assert "| `models.<name>.context` | int | `4096` | `512` |" in pages["settings.md"]
    assert '| `problems.train.path` | str | (required) | `"embedded:train"` |' in pages["settings.md"]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({"methods": {"recut": {"explor": {}}}}, ["methods.recut.explor", "did you mean 'explore'"]),
        ({"methods": {"recat": {}}}, ["unknown setting 'methods.recat'", "did you mean 'recut'"]),
        ({"rounds": 3}, ["unknown setting 'rounds'"]),
        (
            {"methods": {"recut": {"train": {"learning_rates": {"length": ["5e-7"]}}}}},
            ["learning_rates.length.0", "5e-7", "5.0e-7"],
        ),
        (
            {"methods": {"recut": {"explore": {"rounds": 0}}}},
            ["recut.explore.rounds", "0", "greater than or equal to 1"],
        ),
        ({"methods": {"gsi": {"sample": {"temperature": -0.1}}}}, ["gsi.sample.temperature", "-0.1"]),
        ({"methods": {"recut": {"explore": {"rounds": True}}}}, ["recut.explore.rounds", "True"]),
        (
            {"methods": {"recut": {"variants": {"mine": {"explore": {"round": 2}}}}}},
            ["methods.recut.variants.mine.explore.round", "rounds"],
        ),
        ({"methods": {"recut": {"run": ["mian"]}}}, ["methods.recut.run", "mian", "did you mean 'main'"]),
        ({"methods": {"gsi": {"run": ["vanila"]}}}, ["methods.gsi.run", "did you mean 'vanilla'"]),
        ({"experiment": "a/b"}, ["experiment", "a/b"]),
        ({"models": {"base": {"source": "some/model"}}}, ["problems", "evaluation.sets", "field required"]),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(overlay: dict, said: list[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.dump(overlay))
    with pytest.raises(UserError) as caught:
        load(overlay, [ROOT / "config/config.yaml", file])
    message = str(caught.value)
    assert "\n" not in message
    for part in said:
        assert part in message


ENDPOINT = {"url": "http://localhost:8000/v1", "model": "m"}


@pytest.mark.parametrize(
    ("overlay", "key", "now"),
    [
        ({"method": "gsi"}, "method", "methods"),
        ({"model": {"source": "some/model"}}, "model", "models.base"),
        ({"gsi": {"run": ["brute"]}}, "gsi", "methods.gsi"),
        ({"recut": {"explore": {}}}, "recut", "methods.recut"),
        ({"generation": {"endpoint": ENDPOINT}}, "generation.endpoint", "models.base.endpoint"),
        ({"generation": {"engine": "endpoint"}}, "generation.engine", "models.base.endpoint"),
        ({"evaluation": {"base_prompts": ["short"]}}, "evaluation.base_prompts", "base_prompts"),
        (
            {"methods": {"gsi": {"guidance": {"teacher": {"endpoint": ENDPOINT}}}}},
            "methods.gsi.guidance.teacher.endpoint",
            "models.teacher.endpoint",
        ),
    ],
)
def test_a_setting_that_is_gone_names_what_takes_its_place(
    overlay: dict[str, Any], key: str, now: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.dump(overlay))
    with pytest.raises(UserError, match=f"'{key}'") as caught:
        load(overlay, [ROOT / "config/config.yaml", file])
    assert now in str(caught.value) and "no more" in str(caught.value)


def test_the_file_named_is_the_last_that_sets_the_key(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    overlay = {"methods": {"recut": {"explore": {"rounds": 0}}}}
    for file in (first, second):
        file.write_text(yaml.dump(overlay))
    with pytest.raises(UserError, match=r"second\.yaml"):
        load(overlay, [first, second])


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_is_valid_and_differs_from_main(name: str) -> None:
    section = METHODS[name].settings()
    main = section.variant("main")
    assert section.variants and set(section.variants) < set(METHODS[name].variants)
    same = [variant for variant in section.variants if section.variant(variant) == main]
    assert same == {"recut": [], "gsi": ["state_reset"]}[name]


def test_variants_are_laid_over_the_values_of_their_world() -> None:
    section = load({"methods": {"gsi": {"train": {"epochs": 5.0}}}}).methods.gsi
    assert (section.variant("continued").train.epochs, section.variant("continued").train.learning_rate) == (5.0, 3e-4)


def test_overlays_merge_mapping_by_mapping() -> None:
    assert deep_merge({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}) == {"a": {"b": 3, "c": 2}, "d": [2]}


def test_known_names_come_first_in_an_order_of_their_own() -> None:
    assert in_order(["z", "b", "y", "a"], ["a", "b"]) == ["a", "b", "y", "z"]


def test_models_run_on_the_gpus_that_jobs_ask_for_unless_told_otherwise() -> None:
    asked = [({}, "cpu"), ({"gpus": 1}, "cuda"), ({"gpus": 2, "device": "cpu"}, "cpu")]
    for compute, device in asked:
        assert load({"compute": compute}).compute.runs_on() == device
