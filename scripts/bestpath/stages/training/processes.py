"""The processes of one training run: one, or as many as `accelerate launch` started."""

from __future__ import annotations

import os
from datetime import timedelta


def count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that writes files."""
    return int(os.environ.get("RANK", "0")) == 0


def any_of(value: bool) -> bool:
    """Whether the value is true in any of the processes; all of them must ask."""
    if count() == 1:
        return value
    import torch
    from accelerate import PartialState
    from accelerate.utils import reduce

    said = torch.tensor([float(value)], device=PartialState().device)
    return bool(reduce(said, "sum").item())


def wait() -> None:
    """Wait until all processes are here; up to a day, since the first one may be generating."""
    if count() > 1:
        import torch
        from accelerate import PartialState

        state = PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))
        state.wait_for_everyone()
