"""How the outputs of a system become texts to be graded: a reader, by the name that a system gives (`core.systems`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from bestpath.core.systems import Reader
from bestpath.core.tables import Row

READERS: dict[Reader, str] = {"program": f"{__package__}.programs"}
"""The module of every reader but `text`, whose `read` reads; loaded by name, so that grading reaches what it uses."""


def modules_of(reader: Reader) -> list[str]:
    """The modules that a reader is loaded from, for `code_of`."""
    return [READERS[reader]] if reader in READERS else []


def read(samples: Sequence[Row], reader: Reader, isolation: str = "") -> list[str]:
    """The texts to be graded, one a sample: the outputs as they are, or what they print as programs.

    Raises UserError when this machine cannot isolate programs so well.
    """
    outputs = [str(sample["output"]) for sample in samples]
    if reader == "text":
        return outputs
    texts: list[str] = import_module(READERS[reader]).read(outputs, isolation)
    return texts
