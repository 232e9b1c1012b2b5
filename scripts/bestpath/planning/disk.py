"""The disk that models and checkpoints take, from the settings and the number of parameters."""

from __future__ import annotations

from bestpath.core.models import WEIGHT_BYTES
from bestpath.plan import models
from bestpath.plan.recut import SETS, train_settings
from bestpath.settings import Gsi, Recut, Settings

_MOMENTS = 2  # AdamW's
_KEPT_CHECKPOINTS = 2  # the best and the newest
_ADAPTER_SHARE = 0.0004  # of the parameters, for each unit of rank in all linear layers: 0.3 % at rank 8

MODEL_RULES = ("train_specialist", "choose_specialist", "merge_models")
"""The rules whose jobs write a model folder each."""


def model_bytes(rule: str, method: Recut | Gsi, n_parameters: float) -> float:
    """The size of the model folder that a job of one of `MODEL_RULES` writes: float32 for trained models."""
    if rule == "merge_models" and isinstance(method, Recut):
        return WEIGHT_BYTES[method.merge.dtype] * n_parameters
    return WEIGHT_BYTES["float32"] * n_parameters


def checkpoint_bytes(method: Recut | Gsi, n_parameters: float) -> float:
    """What one training run takes while it lasts: its checkpoints, weights and moments in float32."""
    lora = method.train.lora
    share = min(1.0, _ADAPTER_SHARE * lora.r) if lora else 1.0
    return _KEPT_CHECKPOINTS * (1 + _MOMENTS) * WEIGHT_BYTES["float32"] * n_parameters * share


def planned_bytes(settings: Settings, n_parameters: float) -> float:
    """The disk that all models, and the checkpoints of one training run at a time, will need at most.

    A specialist is there once for every learning rate, and once more for the chosen one.
    """
    total, peak = 0.0, 0.0
    for name in models(settings):
        method, variant, _, item = name.split("/")
        if method == "gsi":  # what was trained, and what is taken of it
            total += 2 * model_bytes("train_specialist", settings.gsi, n_parameters)
            peak = max(peak, checkpoint_bytes(settings.gsi.variant(variant), n_parameters))
            continue
        recut = settings.recut.variant(variant)
        if item in SETS:
            rates = len(train_settings(recut, SETS[item])["learning_rates"])
            total += rates * model_bytes("train_specialist", recut, n_parameters)
            total += model_bytes("choose_specialist", recut, n_parameters)
            peak = max(peak, checkpoint_bytes(recut, n_parameters))
        else:
            total += model_bytes("merge_models", recut, n_parameters)
    return total + peak
