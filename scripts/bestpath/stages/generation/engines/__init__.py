"""The engines, opened by the name that the settings give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bestpath.errors import UserError, nearest
from bestpath.stages.generation.engine import Engine

NAMES = ("transformers", "endpoint")


def open_engine(
    name: str, folder: Path | str, *, limits: Mapping[str, Any] | None = None, job: str = "", **settings: Any
) -> Engine:
    """Open the engine `name` on a model folder; an endpoint plays the folder's model elsewhere.

    `settings` are those of its class, on which answers depend; `limits` those on which none does, and `job` whose
    account pays (both for an endpoint). Raises UserError for an unknown name, an unusable folder, a device that is
    not there or a missing key.
    """
    if name == "transformers":
        from bestpath.stages.generation.engines.transformers import TransformersEngine

        return TransformersEngine(folder, **settings)
    if name == "endpoint":
        from bestpath.stages.generation.engines.endpoint import EndpointEngine, Limits
        from bestpath.stages.generation.engines.wire import Server

        return EndpointEngine(Server(**settings), Limits(**(limits or {})), job)
    hint = nearest(name, NAMES) or NAMES[0]
    raise UserError(f"there is no engine '{name}'; did you mean '{hint}'?")
