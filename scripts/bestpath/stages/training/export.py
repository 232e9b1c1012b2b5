"""From a checkpoint of the trainer to a model folder that depends on nothing but base and training."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bestpath.core.io import read_json
from bestpath.core.models import check_same_shapes, chunks, copy_companions, open_tensors, tensors
from bestpath.stages.training.recipe import Recipe

_DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


def export(checkpoint: Path, base: Path, folder: Path, recipe: Recipe) -> None:
    """Fill the empty `folder` with the model of a checkpoint.

    Weights are float32: full weights as trained, LoRA as base plus adapter added in float32, the adapter beside
    them in `adapter/`. Tokenizer, template and generation settings are the base's own files.
    """
    if recipe.lora_rank:
        _add_adapter(checkpoint, base, folder, recipe)
        _copy_adapter(checkpoint, folder / "adapter")
    else:
        _copy_weights(checkpoint, base, folder)
    dtypes = {info.dtype for info in tensors(folder).values()}
    copy_companions(base, folder, _DTYPES[dtypes.pop()] if len(dtypes) == 1 else "float32")
    check_same_shapes(base, folder)


def _add_adapter(checkpoint: Path, base: Path, folder: Path, recipe: Recipe) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, trust_remote_code=recipe.trust_remote_code)
    PeftModel.from_pretrained(model, checkpoint).merge_and_unload().save_pretrained(folder)


def _copy_adapter(checkpoint: Path, folder: Path) -> None:
    folder.mkdir()
    shutil.copyfile(checkpoint / "adapter_model.safetensors", folder / "adapter_model.safetensors")
    # The path of the base and the order of a set differ from place to place and from run to run.
    settings = {**read_json(checkpoint / "adapter_config.json"), "base_model_name_or_path": None}
    settings["target_modules"] = sorted(settings["target_modules"])
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")


def _copy_weights(checkpoint: Path, base: Path, folder: Path) -> None:
    from safetensors.torch import save_file

    names = tensors(base).keys()
    if (checkpoint / "latest").is_file():
        # Beside its optimizer's float32 weights DeepSpeed saves rounded ones, and a tied embedding twice.
        from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

        trained = get_fp32_state_dict_from_zero_checkpoint(checkpoint)
        weights = {name: trained[name].contiguous() for name in names}
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
    else:
        for path in sorted(checkpoint.glob("model*.safetensors*")):
            _link_or_copy(path, folder / path.name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@dataclass(frozen=True)
class Change:
    """How far a model is from its base: the norm of the difference, and the share of weights that differ at all,
    as they are stored and after a cast to bfloat16."""

    norm: float
    share: float
    share_bfloat16: float


def change(base: Path, model: Path) -> Change:
    """Compare the weights of a model with those of its base, tensor by tensor."""
    import torch

    squares, total, changed, changed_bf16 = 0.0, 0, 0, 0
    names = sorted(tensors(base).keys() & tensors(model).keys())
    with open_tensors(base) as before, open_tensors(model) as after:
        for name in names:
            for piece in chunks({"old": before(name), "new": after(name)}):
                old, new = piece["old"], piece["new"]
                squares += float((new.double() - old.double()).square().sum())
                total += new.numel()
                changed += int((new != old.to(new.dtype)).sum())
                changed_bf16 += int((new.to(torch.bfloat16) != old.to(torch.bfloat16)).sum())
    return Change(squares**0.5, changed / total, changed_bf16 / total)
