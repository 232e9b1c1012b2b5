"""The disk of a plan."""

from __future__ import annotations

import pytest

from bestpath.planning.disk import planned_bytes
from bestpath.settings import Recut, Settings
from bestpath.settings.base import Lora
from bestpath.settings.recut import LearningRates, Merge, MergeMethod, Train


def planned(lora: Lora | None) -> float:
    rates = LearningRates(length=[1e-5], accuracy=[1e-6, 2e-6])
    merge = Merge(methods={"ties": MergeMethod(method="ties")}, dtype="bfloat16")
    return planned_bytes(Settings(recut=Recut(train=Train(learning_rates=rates, lora=lora), merge=merge)), 1e9)


def test_the_disk_holds_every_model_and_one_training_s_checkpoints() -> None:
    # three learning rates and two chosen specialists in float32, one merge in bfloat16
    assert planned(Lora(r=8)) == pytest.approx((3 + 2) * 4e9 + 2e9 + 2 * 3 * 4e9 * 0.0032)
    assert planned(None) == pytest.approx(22e9 + 2 * 3 * 4e9)
