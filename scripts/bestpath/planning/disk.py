"""The disk that models and checkpoints take, from the settings and the number of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bestpath.catalog import Experiment
from bestpath.core.models import WEIGHT_BYTES

_MOMENTS = 2  # AdamW's
_KEPT_CHECKPOINTS = 2  # the best and the newest
_ADAPTER_SHARE = 0.0004  # of the parameters, for each unit of rank in all linear layers: 0.3 % at rank 8

TRAINED_DTYPE = "float32"
"""The type of trained weights."""


def model_bytes(dtype: str, n_parameters: float) -> float:
    """The size of a model folder."""
    return WEIGHT_BYTES[dtype] * n_parameters


def checkpoint_bytes(recipe: Mapping[str, Any], n_parameters: float) -> float:
    """What one training run takes while it lasts: its checkpoints, weights and moments in float32."""
    rank = recipe["lora"]["r"]
    share = min(1.0, _ADAPTER_SHARE * rank) if rank else 1.0
    return _KEPT_CHECKPOINTS * (1 + _MOMENTS) * WEIGHT_BYTES["float32"] * n_parameters * share


def planned_bytes(experiment: Experiment, n_parameters: float) -> float:
    """The disk that all models, and the checkpoints of one training run at a time, will need at most.

    A trained model is there once for every learning rate, and once more for the chosen one.
    """
    total, peak = 0.0, 0.0
    for model in experiment.trained():
        if model.stage == "merge":
            dtype = experiment.merging(model.method, model.variant, model.item).dtype
            total += model_bytes(dtype, n_parameters)
        else:
            training = experiment.training(model.method, model.variant, model.item)
            total += (len(training.rates) + 1) * model_bytes(TRAINED_DTYPE, n_parameters)
            peak = max(peak, checkpoint_bytes(training.recipe, n_parameters))
    return total + peak
