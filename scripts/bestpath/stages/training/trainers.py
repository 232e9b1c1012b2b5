"""TRL's DPO and SFT trainers, fed with token ids and driven to exact checkpoints.

Heavy: imports torch and TRL. `train` loads it only after its checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig
from torch.utils.data import DataLoader
from transformers import PrinterCallback
from trl.models.utils import prepare_deepspeed
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from bestpath.core.tables import Row
from bestpath.runtime.progress import progress_bar
from bestpath.stages.training import processes
from bestpath.stages.training.checkpoints import newest
from bestpath.stages.training.progress import Watch
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.reference import Reference
from bestpath.stages.training.task import Task


class _Offline:
    """Neither a model card in every checkpoint nor a report to TRL's authors."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write nothing."""

    def _send_telemetry(self) -> None:
        """Send nothing."""


class PreferenceTrainer(_Offline, DPOTrainer):  # type: ignore[misc]
    """TRL's DPO trainer on token ids, with reference log-probabilities from a file.

    TRL averages the metrics of an evaluation over batches; here a batch counts by its pairs, so that a last, smaller
    batch does not weigh too much.
    """

    def __init__(self, *args: Any, reference: Reference, **kwargs: Any) -> None:
        self._reference = reference
        self._pairs_a_batch: list[int] = []
        super().__init__(*args, **kwargs)

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        known = self._reference.values
        missing = [i for i, row_id in enumerate(dataset["row_id"]) if row_id not in known]
        missing.sort(key=lambda i: len(dataset[i]["chosen_ids"]) + len(dataset[i]["rejected_ids"]))
        if missing:
            rows = dataset.select(missing)
            loader = self.accelerator.prepare(DataLoader(rows, batch_size, collate_fn=self.data_collator))
            # The trainer wraps the model in `train`, which comes later.
            model: Any = self.model
            if self.is_deepspeed_enabled:
                model = prepare_deepspeed(model, self.accelerator)
            batches = []
            with progress_bar(f"reference log-probabilities ({name})", "batch", len(loader)) as bar:
                for batch in loader:
                    batches.append(self.accelerator.gather_for_metrics(self.compute_ref_log_probs(model, batch)))
                    bar.update()
            chosen, rejected = (torch.cat(parts).tolist() for parts in zip(*batches, strict=True))
            known.update(zip(rows["row_id"], zip(chosen, rejected, strict=True), strict=True))
            if self.accelerator.is_main_process:
                self._reference.save()
        values = [known[row_id] for row_id in dataset["row_id"]]
        chosen_logps, rejected_logps = [v[0] for v in values], [v[1] for v in values]
        dataset = dataset.add_column("ref_chosen_logps", chosen_logps)
        return dataset.add_column("ref_rejected_logps", rejected_logps)

    def prediction_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """One batch of an evaluation."""
        self._pairs_a_batch.append(len(inputs["input_ids"]) // 2)
        return super().prediction_step(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log metrics, those of an evaluation averaged over pairs."""
        pairs, self._pairs_a_batch = self._pairs_a_batch, []
        for name, values in self._metrics["eval"].items():
            if pairs and len(values) == len(pairs):
                self._metrics["eval"][name] = [float(np.average(values, weights=pairs))]
        super().log(logs, start_time)


class CompletionTrainer(_Offline, SFTTrainer):  # type: ignore[misc]
    """TRL's SFT trainer on token ids."""


def fit(task: Task, saved: Callable[[int, list[Row]], None], label: str) -> None:
    """Train from the newest whole checkpoint of the task's state, or from its base, to the end.

    Reference log-probabilities are computed if not known. `saved(step, log)` is called on the first process for
    every checkpoint as soon as it is written. SIGTERM saves a checkpoint to go on from, and raises UserError.
    """
    start = newest(task.work)
    trainer = _trainer(task, evaluate_first=start is None)
    trainer.add_callback(Watch(label, task.work, task.recipe.checkpoints, saved, has_dev=bool(task.dev_rows)))
    trainer.train(resume_from_checkpoint=None if start is None else str(start))


def refer(task: Task) -> None:
    """Compute and save the reference log-probabilities that are not known; TRL does so first of all."""
    _trainer(task, evaluate_first=False)


def _trainer(task: Task, *, evaluate_first: bool) -> DPOTrainer | SFTTrainer:
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # what DeepSpeed would take, without its warning
    recipe = task.recipe
    common = dict(
        model=str(task.base),
        processing_class=task.tokenizer,
        train_dataset=Dataset.from_list(list(task.train_rows)),
        eval_dataset=Dataset.from_list(list(task.dev_rows)) if task.dev_rows else None,
        peft_config=_adapter(recipe),
    )
    settings = _settings(recipe, task.work, evaluate_first=bool(task.dev_rows) and evaluate_first)
    trainer: DPOTrainer | SFTTrainer
    if recipe.objective == "dpo":
        trainer = PreferenceTrainer(args=DPOConfig(**settings, **_loss(recipe)), reference=task.reference, **common)
    else:
        own: dict[str, Any] = {"dataset_kwargs": {"skip_prepare_dataset": True}, "padding_free": recipe.padding_free}
        trainer = CompletionTrainer(args=SFTConfig(**settings, **own), **common)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _settings(recipe: Recipe, work: Path, *, evaluate_first: bool) -> dict[str, Any]:
    on_gpu = torch.cuda.is_available()
    # Full weights are trained in float32 even when the arithmetic is bfloat16; a frozen base need not be.
    dtype = recipe.precision if recipe.lora_rank else "float32"
    return dict(
        output_dir=str(work),
        model_init_kwargs={"dtype": dtype, "trust_remote_code": recipe.trust_remote_code},
        per_device_train_batch_size=recipe.micro_batch,
        per_device_eval_batch_size=recipe.micro_batch,
        gradient_accumulation_steps=recipe.accumulation(processes.count()),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.scheduler,
        warmup_steps=recipe.warmup_ratio,
        bf16=recipe.precision == "bfloat16",
        gradient_checkpointing=recipe.gradient_checkpointing,
        use_liger_kernel=recipe.liger,
        max_length=None,  # rows are no longer than allowed
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        logging_steps=1,  # what lies between two logs would be lost with a killed job
        logging_nan_inf_filter=False,
        eval_on_start=evaluate_first,
        save_strategy="no",  # `Watch` decides
        disable_tqdm=True,
        report_to="none",
    )


def _loss(recipe: Recipe) -> dict[str, Any]:
    losses: dict[str | None, float] = {recipe.loss: 1.0, **({"sft": recipe.sft_weight} if recipe.sft_weight else {})}
    return dict(
        loss_type=list(losses),
        loss_weights=list(losses.values()),
        beta=recipe.beta,
        ld_alpha=recipe.ld_alpha,
        disable_dropout=not recipe.lora_dropout,  # TRL would switch off the adapter's dropout too
        precompute_ref_log_probs=True,
    )


def _adapter(recipe: Recipe) -> LoraConfig | None:
    if not recipe.lora_rank:
        return None
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear" if recipe.lora_targets == "all-linear" else recipe.targets(),
    )
