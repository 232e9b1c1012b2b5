from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from bestpath.catalog import Experiment
from bestpath.core.errors import UserError
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring
from bestpath.stages.training.recipe import Recipe
from tests.stages.training.tiny import recipe_of


def real_settings(stage, specialist, variant="main"):
    """The settings of a training as its rule passes them, where the base is no embedded one."""
    config = {
        "models": {"base": {"source": "maker/model"}},
        "problems": {"train": {"path": "train.jsonl"}},
        "evaluation": {"sets": {"test": {"path": "test.jsonl"}}},
    }
    wildcards = SimpleNamespace(method="recut", variant=variant, specialist=specialist)
    return json.loads(Wiring(Experiment(load(config))).recipe(stage)(wildcards))


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("loss", "sigmoid_nrom", "did you mean 'sigmoid_norm'"),
        ("loss", "xyz", "known: sigmoid, sigmoid_norm, ipo"),
        ("objective", "dpoo", "did you mean 'dpo'"),
        ("scheduler", "cosin", "did you mean 'cosine'"),
        ("precision", "float16", "precision"),
        ("learning_rate", 0.0, "above 0"),
        ("global_batch", 0, "above 0"),
        ("lora_rank", -1, "must not be negative"),
        ("warmup_ratio", 1.0, r"must be in \[0, 1\)"),
        ("ld_alpha", 1.5, r"must be in \[0, 1\]"),
    ],
)
def test_senseless_values_are_errors_that_name_the_setting(setting, value, said):
    with pytest.raises(UserError, match=said) as caught:
        recipe_of(**{"learning_rate": 1e-5, setting: value})
    assert setting in str(caught.value)


def test_the_global_batch_is_accumulated():
    assert recipe_of(1e-5, global_batch=16, micro_batch=2).accumulation(processes=4) == 2
    with pytest.raises(UserError, match="no multiple"):
        recipe_of(1e-5, global_batch=16, micro_batch=3).accumulation(processes=1)


def test_defaults_are_those_of_a_real_run():
    recipe = Recipe.of(real_settings("train", "length"), 1e-6, 1)
    assert (recipe.loss, recipe.beta, recipe.epochs, recipe.global_batch) == ("sigmoid", 0.1, 1.0, 8)
    assert (recipe.max_length, recipe.warmup_ratio, recipe.scheduler) == (4096, 0.1, "cosine")
    assert (recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout) == (8, 16, 0.0)


def test_settings_of_sft_may_lack_what_concerns_dpo_alone():
    settings = real_settings("train", "sft", "sft_shortest")
    recipe = Recipe.of({name: value for name, value in settings.items() if name not in {"loss", "beta"}}, 1e-6, 1)
    assert (recipe.objective, recipe.loss, recipe.beta) == ("sft", None, None)


def test_reference_log_probabilities_need_only_the_settings_that_they_depend_on():
    recipe = Recipe.of_reference(real_settings("reference", "length"))
    assert (recipe.objective, recipe.lora_rank, recipe.max_length, recipe.micro_batch) == ("dpo", 8, 4096, 1)
