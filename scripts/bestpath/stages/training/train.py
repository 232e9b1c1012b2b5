"""One training run: checks, encoding, TRL, a readout at every checkpoint, the choice, and a model folder.

A run that is killed and started again with the same arguments ends with the same bytes: its state lies in a work
folder of checkpoints (see `run` and `checkpoints`), and everything else is a function of the arguments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.io import read_json
from bestpath.core.models import check_folder, tensors
from bestpath.core.provenance import digest
from bestpath.core.rejects import Rejects
from bestpath.core.tables import Row
from bestpath.stages.training import processes
from bestpath.stages.training.choice import Criterion
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.reference import Reference
from bestpath.stages.training.rows import Language, encode, learnt_tokens
from bestpath.stages.training.run import ReadoutFunction, Run, Trained
from bestpath.stages.training.task import Task


def train(
    recipe: Recipe,
    base: Path,
    train_rows: Sequence[Row],
    dev_rows: Sequence[Row],
    out: Path,
    work: Path,
    *,
    rejects: Rejects,
    criterion: Criterion = "last",
    readout: ReadoutFunction | None = None,
    reference: Path | None = None,
    label: str = "training",
) -> Trained:
    """Train `base` on conversational rows and write the chosen checkpoint's model to the folder `out`.

    Rows hold `problem_id`, `prompt` and `chosen` and `rejected`, or `completion`, each a list of messages. No problem
    may be in both splits. `work` keeps the state of a killed run; the caller removes it when all its outputs are
    written. `reference` is a file made by `write_reference` from the same rows, shared by runs that differ in learning
    rate or loss; by default they are computed and lie in `work`. Rejected rows are added to `rejects`. `label` names
    the run in its progress.
    Under `accelerate launch` every process calls this; the first one writes.
    Raises UserError, before anything is computed, for a model folder without tokenizer, template or weights, for
    rows that do not fit the objective or the chat template, and for a problem in both splits.
    """
    if criterion != "last" and readout is None:
        raise ValueError("choosing a checkpoint on the dev split needs a readout function")
    tokenizer, encoded = _prepare(recipe, base, train_rows, dev_rows, rejects)
    run = Run(recipe, base, work, criterion, readout, label)
    data = digest(encoded)
    known = Reference.at(reference or work / "reference.parquet", base, recipe, data)
    if reference and not known.values:
        raise UserError(f"{reference} holds the reference log-probabilities of other rows; delete it and run again")
    run.prepare(data)
    if not run.is_finished():
        from bestpath.stages.training.trainers import fit

        fit(Task(recipe, base, tokenizer, *encoded, work, known), run.saved, label)
    return run.finish(out, len(encoded[0]), learnt_tokens(encoded[0]))


def write_reference(
    recipe: Recipe, base: Path, train_rows: Sequence[Row], dev_rows: Sequence[Row], path: Path, work: Path
) -> None:
    """Write the log-probabilities of all rows under `base`, for runs of `train` on the same rows.

    Under `accelerate launch` every process calls this; the first one writes. Raises UserError as `train`.
    """
    tokenizer, encoded = _prepare(recipe, base, train_rows, dev_rows, Rejects("training"))
    from bestpath.stages.training.trainers import refer

    known = Reference.at(path, base, recipe, digest(encoded))
    refer(Task(recipe, base, tokenizer, *encoded, work, known))


def _prepare(
    recipe: Recipe, base: Path, train_rows: Sequence[Row], dev_rows: Sequence[Row], rejects: Rejects
) -> tuple[Any, tuple[list[Row], list[Row]]]:
    """The tokenizer, and the encoded training and dev rows, when everything fits together."""
    check_folder(base)
    _check_rows(train_rows, dev_rows)
    _check_targets(base, recipe)
    recipe.accumulation(processes.count())
    _check_kernels(recipe)
    _quiet()
    language = _language(base, recipe)
    encoded = encode(train_rows, language, recipe, rejects), encode(dev_rows, language, recipe, rejects)
    return language.tokenizer, encoded


def _check_rows(train_rows: Sequence[Row], dev_rows: Sequence[Row]) -> None:
    if not train_rows:
        raise UserError("there are no training rows; look at the rejects of the stages before")
    both = {row.get("problem_id") for row in train_rows} & {row.get("problem_id") for row in dev_rows}
    if both - {None}:
        raise UserError(
            f"{len(both)} problems are in the training and in the dev split, for example {min(map(str, both))}; "
            "split by problem"
        )


def _check_targets(base: Path, recipe: Recipe) -> None:
    """Check that every LoRA target is a module of the model; the output embedding cannot be one (TRL)."""
    known = {name.split(".")[-2] for name, info in tensors(base).items() if len(info.shape) == 2} - {"lm_head"}
    if recipe.lora_rank and recipe.lora_targets != "all-linear":
        for target in recipe.targets():
            if target not in known:
                raise UserError(
                    f"the training setting lora_targets names '{target}', which is no module of {base}; "
                    f"known: all-linear, {', '.join(sorted(known))}"
                )


def _check_kernels(recipe: Recipe) -> None:
    if recipe.liger and not (find_spec("liger_kernel") and Path("/dev/nvidiactl").exists()):
        raise UserError(
            "the training setting liger asks for kernels that need an NVIDIA GPU and the package liger-kernel; set it "
            "to false, or train where they are"
        )


def _language(base: Path, recipe: Recipe) -> Language:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=recipe.trust_remote_code)
    config = read_json(base / "config.json")
    generation = base / "generation_config.json"
    ends = read_json(generation).get("eos_token_id") if generation.is_file() else None
    end_ids = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id} - {None}
    max_length = min(recipe.max_length, config.get("max_position_embeddings", recipe.max_length))
    return Language(tokenizer, config.get("vocab_size", sys.maxsize), max_length, frozenset(end_ids))


def _quiet() -> None:
    """Keep the libraries off the network (a model is a local folder by now) and their small bars out of the log."""
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
