"""How a model is trained: every setting that decides the weights, as flat scalars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from bestpath.core.errors import UserError, nearest

LOSSES = ("sigmoid", "sigmoid_norm", "ipo")
SCHEDULERS = ("cosine", "linear", "constant_with_warmup")

_PREFERENCE = ("loss", "beta", "ld_alpha", "sft_weight")
_LEARNING: dict[str, Any] = {
    "learning_rate": 1.0,
    "loss": "sigmoid",
    "beta": 0.1,
    "sft_weight": 0.0,
    "epochs": 1.0,
    "warmup_ratio": 0.1,
    "scheduler": "cosine",
    "gradient_checkpointing": False,
    "padding_free": False,
    "liger": False,
    "checkpoints": 1,
    "seed": 42,
}
"""Any values of what concerns learning alone, for reference log-probabilities: nothing is learnt there."""


@dataclass(frozen=True)
class Recipe:
    """The settings of one training.

    `objective` is `dpo` (rows of prompt, chosen, rejected) or `sft` (rows of prompt, completion). The next four
    settings concern DPO alone and may be None for SFT: `loss` is TRL's name
    (`sigmoid_norm` and `ipo` are length-normalised); `ld_alpha` weighs the tokens past the shorter completion's length
    (length-desensitised DPO); `sft_weight` weighs an added negative log-likelihood of the chosen completion.
    `micro_batch` rows are on a device at once, the rest of `global_batch` is accumulated. Rows longer than
    `max_length` tokens (or than the model's context) are rejected, never cut. `lora_rank` 0 trains all weights.
    `lora_targets` is `all-linear` or names of modules, separated by commas.
    `padding_free` lays the rows of a batch end to end (SFT alone); `liger` takes Liger's kernels, on a GPU.
    `zero` is the stage of DeepSpeed ZeRO that the processes were launched under, or 0.
    `checkpoints` are spaced evenly; the last is the end of the run.
    Raises UserError for a value that makes no sense.
    """

    learning_rate: float
    objective: Literal["dpo", "sft"]
    loss: str | None
    beta: float | None
    ld_alpha: float | None
    sft_weight: float | None
    epochs: float
    global_batch: int
    micro_batch: int
    max_length: int
    warmup_ratio: float
    scheduler: str
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    lora_targets: str
    precision: Literal["float32", "bfloat16"]
    gradient_checkpointing: bool
    padding_free: bool
    liger: bool
    zero: Literal[0, 2, 3]
    checkpoints: int
    seed: int
    trust_remote_code: bool

    @classmethod
    def of(cls, settings: Mapping[str, Any], learning_rate: float, seed: int) -> Self:
        """The recipe by a method's settings of training; those of SFT may lack what concerns DPO alone."""
        lacking = dict.fromkeys(_PREFERENCE) if settings["objective"] == "sft" else {}
        return cls(**{**lacking, **settings, "learning_rate": learning_rate, "seed": seed})

    @classmethod
    def of_reference(cls, settings: Mapping[str, Any]) -> Self:
        """The recipe of reference log-probabilities, by the settings that they depend on."""
        return cls(**{**_LEARNING, **settings})

    def __post_init__(self) -> None:
        self._check_choice("objective", ("dpo", "sft"))
        self._check_choice("loss", LOSSES)
        self._check_choice("scheduler", SCHEDULERS)
        self._check_choice("precision", ("float32", "bfloat16"))
        for name in ("learning_rate", "beta", "epochs", "global_batch", "micro_batch", "max_length", "checkpoints"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise UserError(f"the training setting {name} is {value}, but must be above 0")
        for name in ("lora_rank", "sft_weight"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise UserError(f"the training setting {name} is {value}, but must not be negative")
        if not 0 <= self.warmup_ratio < 1:
            raise UserError(f"the training setting warmup_ratio is {self.warmup_ratio}, but must be in [0, 1)")
        if self.ld_alpha is not None and not 0 <= self.ld_alpha <= 1:
            raise UserError(f"the training setting ld_alpha is {self.ld_alpha}, but must be in [0, 1]")

    def _check_choice(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value is not None and value not in known:
            hint = nearest(value, known)
            meant = f"did you mean '{hint}'?" if hint else f"known: {', '.join(known)}"
            raise UserError(f"the training setting {name} is '{value}', which is unknown; {meant}")

    def accumulation(self, processes: int) -> int:
        """Micro-batches that one update accumulates on each of `processes` devices.

        Raises UserError when the global batch cannot be divided so.
        """
        at_once = self.micro_batch * processes
        if self.global_batch % at_once:
            raise UserError(
                f"global_batch {self.global_batch} is no multiple of micro_batch {self.micro_batch} "
                f"times {processes} processes; change one of them"
            )
        return self.global_batch // at_once

    def targets(self) -> list[str]:
        """The modules that get an adapter; `lora_targets` names them, separated by commas."""
        return [name.strip() for name in self.lora_targets.split(",")]

    def settings(self) -> dict[str, str | int | float | bool | None]:
        """All settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
