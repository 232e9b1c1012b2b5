"""The engines, opened by the name that the settings give."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bestpath.errors import UserError, nearest
from bestpath.stages.generation.engine import Engine

NAMES = ("transformers", "vllm", "endpoint")


def open_engine(
    name: str, folder: Path | str, *, limits: Mapping[str, Any] | None = None, job: str = "", **settings: Any
) -> Engine:
    """Open the engine `name` on a model folder; an endpoint plays the folder's model elsewhere.

    `settings` are those of its class, on which answers depend (`vllm` holds those of vLLM alone); `limits` those on
    which none does, and `job` whose account pays (both for an endpoint). On GPUs, as many copies are opened as the
    visible ones hold. Raises UserError for an unknown name, an unusable folder, a device that is not there or a
    missing key.
    """
    if name not in NAMES:
        raise UserError(f"there is no engine '{name}'; did you mean '{nearest(name, NAMES) or NAMES[0]}'?")
    if name == "endpoint":
        from bestpath.stages.generation.engines.endpoint import EndpointEngine, Limits
        from bestpath.stages.generation.engines.wire import Server

        return EndpointEngine(Server(**settings), Limits(**(limits or {})), job)
    settings |= settings.pop("vllm", {})
    groups = _device_groups(settings.get("tensor_parallel", 1)) if settings.get("device") == "cuda" else []
    if len(groups) > 1:
        from bestpath.stages.generation.engines.replicas import Replicas

        return Replicas(groups, _open, name, folder, **settings)
    return _open(name, folder, **settings)


def _open(name: str, folder: Path | str, **settings: Any) -> Engine:
    if name == "vllm":
        from bestpath.stages.generation.engines.vllm import VllmEngine

        return VllmEngine(folder, **settings)
    from bestpath.stages.generation.engines.transformers import TransformersEngine

    return TransformersEngine(folder, **settings)


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
