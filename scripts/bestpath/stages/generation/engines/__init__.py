"""The engines, opened by the name that the settings give."""

from __future__ import annotations

from pathlib import Path

from bestpath.errors import UserError, nearest
from bestpath.stages.generation.engine import Engine

NAMES = ("transformers",)


def open_engine(
    name: str,
    folder: Path | str,
    *,
    slots: int = 128,
    device: str = "cpu",
    dtype: str = "float32",
    context: int | None = None,
    threads: int = 1,
    trust_remote_code: bool = False,
) -> Engine:
    """Open the engine `name` on a model folder.

    `slots` is how many completions it works on at once; `context` the most tokens of a prompt and its completion
    together (default: what the model was made for); `threads` the CPU threads. Raises UserError for an unknown name,
    an unusable folder or a device that is not there.
    """
    if name == "transformers":
        from bestpath.stages.generation.engines.transformers import TransformersEngine

        return TransformersEngine(
            folder,
            slots=slots,
            device=device,
            dtype=dtype,
            context=context,
            threads=threads,
            trust_remote_code=trust_remote_code,
        )
    hint = nearest(name, NAMES) or NAMES[0]
    raise UserError(f"there is no engine '{name}'; did you mean '{hint}'?")
