from __future__ import annotations

import pytest

from bestpath.core.errors import UserError
from bestpath.stages.training.recipe import Recipe


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
        Recipe(**{"learning_rate": 1e-5, setting: value})
    assert setting in str(caught.value)


def test_the_global_batch_is_accumulated():
    assert Recipe(1e-5, global_batch=16, micro_batch=2).accumulation(processes=4) == 2
    with pytest.raises(UserError, match="no multiple"):
        Recipe(1e-5, global_batch=16, micro_batch=3).accumulation(processes=1)


def test_defaults_are_those_of_a_real_run():
    recipe = Recipe(1e-6)
    assert (recipe.loss, recipe.beta, recipe.epochs, recipe.global_batch) == ("sigmoid", 0.1, 1.0, 8)
    assert (recipe.max_length, recipe.warmup_ratio, recipe.scheduler) == (4096, 0.1, "cosine")
    assert (recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout) == (8, 16, 0.0)
