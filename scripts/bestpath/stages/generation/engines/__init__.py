"""The engines, opened by the name that the settings give."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from bestpath.core.errors import UserError, nearest
from bestpath.core.search import Measure
from bestpath.stages.generation.engine import Engine, Scorer

NAMES = ("transformers", "vllm", "endpoint")
_Opened = TypeVar("_Opened", Engine, Scorer)


def open_engine(
    name: str, folder: Path | str, *, limits: Mapping[str, Any] | None = None, job: str = "", **settings: Any
) -> Engine:
    """Open the engine `name` on a model folder; an endpoint plays the folder's model elsewhere.

    `settings` are those of its class, on which answers depend (`vllm` holds those of vLLM alone); `limits` those on
    which none does, and `job` whose account pays (both for an endpoint). On GPUs, as many copies are opened as the
    visible ones hold. Raises UserError for an unknown name, an unusable folder, a device that is not there or a
    missing key.
    """
    _check_name(name)
    if name == "endpoint":
        from bestpath.stages.generation.engines.endpoint import EndpointEngine, Limits
        from bestpath.stages.generation.engines.wire import Server

        return EndpointEngine(Server(**settings), Limits(**(limits or {})), job)
    return _on_all_devices(_open, name, folder, **settings)


def open_scorer(name: str, folder: Path | str, of: Measure = "reward", **settings: Any) -> Scorer:
    """Open the engine `name` on a reward model, or on a causal language model whose likelihood is asked.

    `settings` and copies as for `open_engine`. A reward model is tried before it is used (see `reward_check`). Raises
    UserError as `open_engine`, when the engine cannot score, and when the reward model fails its trial.
    """
    _check_name(name)
    if name == "endpoint":
        raise UserError("an endpoint cannot score; use the engine transformers or vllm for the model that scores")
    return _on_all_devices(_open_scorer, name, folder, of, **settings)


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise UserError(f"there is no engine '{name}'; did you mean '{nearest(name, NAMES) or NAMES[0]}'?")


def _on_all_devices(opener: Callable[..., _Opened], *arguments: Any, **settings: Any) -> _Opened:
    """One engine, or a copy of it on each group of GPUs."""
    settings |= settings.pop("vllm", {})
    groups = _device_groups(settings.get("tensor_parallel", 1)) if settings.get("device") == "cuda" else []
    if len(groups) > 1:
        from bestpath.stages.generation.engines.replicas import Replicas

        return cast(_Opened, Replicas(groups, opener, *arguments, **settings))
    return opener(*arguments, **settings)


def _open(name: str, folder: Path | str, **settings: Any) -> Engine:
    if name == "vllm":
        from bestpath.stages.generation.engines.vllm import VllmEngine

        return VllmEngine(folder, **settings)
    from bestpath.stages.generation.engines.transformers import TransformersEngine

    return TransformersEngine(folder, **settings)


def _open_scorer(name: str, folder: Path | str, of: Measure, **settings: Any) -> Scorer:
    if name == "vllm":
        from bestpath.stages.generation.engines.vllm_scorer import open_vllm_scorer

        return open_vllm_scorer(Path(folder), of, **settings)
    from bestpath.stages.generation.engines.transformers_scorer import open_transformers_scorer

    return open_transformers_scorer(Path(folder), of, **settings)


def _device_groups(size: int) -> list[str]:
    """The GPUs that this job may use, in groups of `size`, as values of CUDA_VISIBLE_DEVICES.

    Raises UserError when they cannot be grouped so.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        import torch

        devices = [str(i) for i in range(torch.cuda.device_count())]
    else:
        devices = [name for name in named.split(",") if name]
    if len(devices) % size:
        raise UserError(
            f"this job sees {len(devices)} GPUs, which cannot be shared out in groups of {size}; make compute.gpus a "
            "multiple of generation.vllm.tensor_parallel"
        )
    return [",".join(devices[start : start + size]) for start in range(0, len(devices), size)]
