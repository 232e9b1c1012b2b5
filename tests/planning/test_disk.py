"""The disk of a plan."""

from __future__ import annotations

from typing import Any

import pytest

from bestpath.catalog import Experiment
from bestpath.planning.configuration import load
from bestpath.planning.disk import checkpoint_bytes, model_bytes, planned_bytes

RATES = {"length": [1e-5], "accuracy": [1e-6, 2e-6]}
ONE_MERGE = {name: None for name in ("dare_ties", "linear-0.25", "linear-0.5", "linear-0.75")}


def recut(rank: int) -> dict[str, Any]:
    merge = {"methods": ONE_MERGE, "dtype": "bfloat16"}
    return {"train": {"learning_rates": RATES, "lora": {"r": rank}}, "merge": merge}


def planned(**methods: Any) -> float:
    return planned_bytes(Experiment(load({"methods": methods})), 1e9)


def test_the_disk_holds_every_model_and_one_training_s_checkpoints() -> None:
    # three learning rates and two chosen specialists in float32, one merge in bfloat16
    assert planned(recut=recut(8)) == pytest.approx((3 + 2) * 4e9 + 2e9 + 2 * 3 * 4e9 * 0.0032)
    assert planned(recut=recut(0)) == pytest.approx(22e9 + 2 * 3 * 4e9)


def test_several_methods_need_the_models_of_all_and_the_largest_checkpoints() -> None:
    gsi = {"run": ["vanilla"], "iterations": 2}  # two models, trained at one rate each
    assert planned(gsi=gsi) == pytest.approx(2 * 2 * 4e9 + 2 * 3 * 4e9)
    assert planned(recut=recut(8), gsi=gsi) == pytest.approx(22e9 + 16e9 + 24e9)


def test_repetitions_are_models_of_their_own() -> None:
    settings = load({"seeds": [1, 2], "methods": {"gsi": {"run": ["vanilla"], "iterations": 1}}})
    assert planned_bytes(Experiment(settings), 1e9) == pytest.approx(2 * 2 * 4e9 + 24e9)


def test_sizes() -> None:
    assert (model_bytes("float32", 8e9), model_bytes("bfloat16", 8e9)) == (32e9, 16e9)
    assert checkpoint_bytes({"lora": {"r": 8}}, 1e9) == pytest.approx(24e9 * 0.0032)
    assert checkpoint_bytes({"lora": {"r": 0}}, 1e9) == checkpoint_bytes({"lora": {"r": 10_000}}, 1e9) == 24e9
