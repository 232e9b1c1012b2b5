"""The trial of a reward model before it is used: what can be wrong with one shows in its scores, and in no error."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

from bestpath.core.errors import UserError
from bestpath.core.search import Message
from bestpath.stages.generation.engines.loading import DTYPES, logits_at
from bestpath.stages.generation.engines.scoring import Rendering, Text, TextScorer, score_all

_TEXTS = 100
_DIFFERENT = 95
_COMPARED = 8
_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05}  # of a score, or of 1 if that is more


def check_scores(scorer: TextScorer, rendering: Rendering, folder: Path) -> list[tuple[Text, float]]:
    """Check that a model gives different answers different rewards; the texts tried, and the rewards.

    An activation left on the head saturates: most rewards are then 0 or 1. Raises UserError.
    """
    texts = [rendering.text(_chat(i)) for i in range(_TEXTS)]
    if len(set(texts)) < _TEXTS:
        raise UserError(
            f"the chat template of the reward model in {folder} renders different answers alike; give the template "
            "that the model was trained with"
        )
    rewards = score_all(scorer, texts)
    different = len(set(rewards))
    if different < _DIFFERENT:
        raise UserError(
            f"the reward model in {folder} gives {_TEXTS} different answers only {different} different rewards: an "
            "activation saturates them, or the weights are damaged; check how the model was saved"
        )
    return list(zip(texts, rewards, strict=True))


def check_against_transformers(rewards: list[tuple[Text, float]], folder: Path, dtype: str, trust: bool) -> None:
    """Check some rewards of another engine against those of transformers, computed one by one on the CPU.

    Raises UserError when one differs by more than rounding.
    """
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=DTYPES[dtype], use_safetensors=True, local_files_only=True, trust_remote_code=trust
    ).eval()
    for text, reward in rewards[:: _TEXTS // _COMPARED][:_COMPARED]:
        with torch.inference_mode():
            expected = float(logits_at(model, None, input_ids=torch.tensor([text.ids]))[-1])
        if not abs(reward - expected) <= _TOLERANCE[dtype] * max(1.0, abs(expected)):
            raise UserError(
                f"vLLM gives a text the reward {reward:.4f} by the model in {folder}, and transformers {expected:.4f}; "
                "use the engine transformers for this model"
            )


def _chat(i: int) -> tuple[Message, ...]:
    question = f"Ann has {i} apples and buys {i % 7 + 2} more. How many has she now?"
    answer = f"She has {i} + {i % 7 + 2} = {i + i % 7 + 2} apples. " * (1 + i % 3)
    return Message("user", question), Message("assistant", answer.strip())
