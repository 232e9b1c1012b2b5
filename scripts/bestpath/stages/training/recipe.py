"""How a model is trained: every setting that decides the weights, as flat scalars."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from bestpath.core.errors import UserError, nearest

LOSSES = ("sigmoid", "sigmoid_norm", "ipo")
SCHEDULERS = ("cosine", "linear", "constant_with_warmup")


@dataclass(frozen=True)
class Recipe:
    """The settings of one training run; the defaults are those of a real run (docs/recut.md, settings).

    `objective` is `dpo` (rows of prompt, chosen, rejected) or `sft` (rows of prompt, completion). The next four
    settings concern DPO alone: `loss` is TRL's name (`sigmoid_norm` and `ipo` are length-normalised); `ld_alpha`
    weighs the tokens past the shorter completion's length (length-desensitised DPO); `sft_weight` weighs an added
    negative log-likelihood of the chosen completion.
    `micro_batch` rows are on a device at once, the rest of `global_batch` is accumulated. Rows longer than
    `max_length` tokens (or than the model's context) are rejected, never cut. `lora_rank` 0 trains all weights.
    `lora_targets` is `all-linear` or names of modules, separated by commas.
    `padding_free` lays the rows of a batch end to end (SFT alone); `liger` takes Liger's kernels, on a GPU.
    `zero` is the stage of DeepSpeed ZeRO that the processes were launched under, or 0.
    `checkpoints` are spaced evenly; the last is the end of the run.
    Raises UserError for a value that makes no sense.
    """

    learning_rate: float
    objective: Literal["dpo", "sft"] = "dpo"
    loss: str = "sigmoid"
    beta: float = 0.1
    ld_alpha: float | None = None
    sft_weight: float = 0.0
    epochs: float = 1.0
    global_batch: int = 8
    micro_batch: int = 1
    max_length: int = 4096
    warmup_ratio: float = 0.1
    scheduler: str = "cosine"
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    lora_targets: str = "all-linear"
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    gradient_checkpointing: bool = False
    padding_free: bool = False
    liger: bool = False
    zero: Literal[0, 2, 3] = 0
    checkpoints: int = 4
    seed: int = 42
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        self._check_choice("objective", ("dpo", "sft"))
        self._check_choice("loss", LOSSES)
        self._check_choice("scheduler", SCHEDULERS)
        self._check_choice("precision", ("float32", "bfloat16"))
        for name in ("learning_rate", "beta", "epochs", "global_batch", "micro_batch", "max_length", "checkpoints"):
            if getattr(self, name) <= 0:
                raise UserError(f"the training setting {name} is {getattr(self, name)}, but must be above 0")
        for name in ("lora_rank", "sft_weight"):
            if getattr(self, name) < 0:
                raise UserError(f"the training setting {name} is {getattr(self, name)}, but must not be negative")
        if not 0 <= self.warmup_ratio < 1:
            raise UserError(f"the training setting warmup_ratio is {self.warmup_ratio}, but must be in [0, 1)")
        if self.ld_alpha is not None and not 0 <= self.ld_alpha <= 1:
            raise UserError(f"the training setting ld_alpha is {self.ld_alpha}, but must be in [0, 1]")

    def _check_choice(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in known:
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
