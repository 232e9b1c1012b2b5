"""The processes of one training run: one, or as many as `accelerate launch` started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def alone() -> Iterator[None]:
    """Load models as one process does.

    While training runs under ZeRO-3, transformers shards every model that is loaded, and waits for all processes to
    take their part: for ever, where only the first one loads it.
    """
    if count() == 1:
        yield
        return
    from transformers.integrations import deepspeed

    config = deepspeed._hf_deepspeed_config_weak_ref
    deepspeed.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        deepspeed._hf_deepspeed_config_weak_ref = config


def wait() -> None:
    """Wait until all processes are here; up to a day, since the first one may be generating."""
    if count() > 1:
        import torch
        from accelerate import PartialState

        state = PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))
        state.wait_for_everyone()
