"""The engines, opened by the name that the settings give.

An engine's module is loaded by that name, so that a program reaches the engines that it uses and no others: rules and
origins are told of it (`modules_of`). Nothing here imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

from bestpath.core.errors import UserError, nearest
from bestpath.core.search import Measure
from bestpath.stages.generation.engine import Engine, Scorer

ENGINES = {name: f"{__name__}.{name}" for name in ("transformers", "vllm", "endpoint")}
"""The module of every engine; its `open_engine` opens it."""

SCORERS = {name: f"{__name__}.{name}_scorer" for name in ("transformers", "vllm")}
"""The module of every engine that scores; its `open_scorer` opens it."""

_Opened = TypeVar("_Opened", Engine, Scorer)


def modules_of(engines: Mapping[str, Mapping[str, Any]], scorers: Collection[str] = ()) -> list[str]:
    """The modules that a job loads for its roles, from the settings of their engines; `scorers` are those that score.

    Raises UserError for an unknown engine and for one that cannot score.
    """
    return sorted({_module_of(settings["engine"], role in scorers) for role, settings in engines.items()})


def open_engine(
    name: str, folder: Path | str, *, limits: Mapping[str, Any] | None = None, job: str = "", **settings: Any
) -> Engine:
    """Open the engine `name` on a model folder; an endpoint plays a model elsewhere, and `folder` means nothing to it.

    `settings` are those on which answers depend (`vllm` holds those of vLLM alone), `limits` those on which none does,
    and `job` whose account pays an endpoint. On GPUs, as many copies are opened as the visible ones hold. Raises
    UserError for an unknown name, an unusable folder, a device that is not there or a missing key.
    """
    module = _module_of(name)
    if name == "endpoint":
        engine: Engine = import_module(module).open_engine(settings, limits or {}, job)
        return engine
    return _on_all_devices(_open, module, Path(folder), **settings, **(limits or {}))


def open_scorer(
    name: str,
    folder: Path | str,
    of: Measure = "reward",
    *,
    limits: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Scorer:
    """Open the engine `name` on a reward model, or on a causal language model whose likelihood is asked.

    `settings`, `limits` and copies as for `open_engine`. A reward model is tried before it is used (see
    `reward_check`). Raises UserError as `open_engine`, when the engine cannot score, and when the reward model fails
    its trial.
    """
    return _on_all_devices(_open_scorer, _module_of(name, scores=True), Path(folder), of, **settings, **(limits or {}))


def _module_of(name: str, scores: bool = False) -> str:
    if name not in ENGINES:
        raise UserError(f"there is no engine '{name}'; did you mean '{nearest(name, ENGINES) or 'transformers'}'?")
    if scores and name not in SCORERS:
        raise UserError(f"an {name} cannot score; use the engine transformers or vllm for the model that scores")
    return SCORERS[name] if scores else ENGINES[name]


def _on_all_devices(opener: Callable[..., _Opened], *arguments: Any, **settings: Any) -> _Opened:
    """One engine, or a copy of it on each group of GPUs."""
    settings |= settings.pop("vllm", {})
    groups = _device_groups(settings.get("tensor_parallel", 1)) if settings.get("device") == "cuda" else []
    if len(groups) > 1:
        from bestpath.stages.generation.engines.replicas import Replicas

        return cast(_Opened, Replicas(groups, opener, *arguments, **settings))
    return opener(*arguments, **settings)


def _open(module: str, folder: Path, **settings: Any) -> Engine:
    engine: Engine = import_module(module).open_engine(folder, **settings)
    return engine


def _open_scorer(module: str, folder: Path, of: Measure, **settings: Any) -> Scorer:
    scorer: Scorer = import_module(module).open_scorer(folder, of, **settings)
    return scorer


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
