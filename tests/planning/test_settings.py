from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bestpath.core.errors import UserError
from bestpath.planning.configuration import load
from bestpath.settings import Settings, deep_merge

ROOT = Path(__file__).resolve().parents[2]


def test_the_default_configuration_is_the_default_settings() -> None:
    assert load(yaml.safe_load((ROOT / "config/config.yaml").read_text())) == Settings()


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({"recut": {"explor": {}}}, ["recut.explor", "did you mean 'explore'"]),
        ({"rounds": 3}, ["unknown setting 'rounds'"]),
        ({"recut": {"train": {"learning_rates": {"length": ["5e-7"]}}}}, ["learning_rates.length.0", "5e-7", "5.0e-7"]),
        ({"recut": {"explore": {"rounds": 0}}}, ["recut.explore.rounds", "0", "greater than or equal to 1"]),
        ({"recut": {"explore": {"temperature": -0.1}}}, ["recut.explore.temperature", "-0.1"]),
        ({"recut": {"explore": {"rounds": True}}}, ["recut.explore.rounds", "True"]),
        ({"recut": {"variants": {"mine": {"explore": {"round": 2}}}}}, ["recut.variants.mine.explore.round", "rounds"]),
        ({"recut": {"run": ["mian"]}}, ["mian", "did you mean 'main'"]),
        ({"experiment": "a/b"}, ["experiment", "a/b"]),
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


def test_the_file_named_is_the_last_that_sets_the_key(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    for file in (first, second):
        file.write_text("recut: {explore: {rounds: 0}}")
    with pytest.raises(UserError, match=r"second\.yaml"):
        load({"recut": {"explore": {"rounds": 0}}}, [first, second])


def test_every_variant_is_valid_and_differs_from_main() -> None:
    recut = Settings().recut
    main = recut.variant("main")
    for name in recut.variants:
        assert recut.variant(name) != main, name


def test_overlays_merge_mapping_by_mapping() -> None:
    assert deep_merge({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}) == {"a": {"b": 3, "c": 2}, "d": [2]}


def test_models_run_on_the_gpus_that_jobs_ask_for_unless_told_otherwise() -> None:
    asked = [({}, "cpu"), ({"gpus": 1}, "cuda"), ({"gpus": 2, "device": "cpu"}, "cpu")]
    for compute, device in asked:
        assert Settings.model_validate({"compute": compute}).compute.runs_on() == device
