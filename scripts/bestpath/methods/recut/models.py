"""The models of ReCUT: which specialists a variant trains, on which sets, and which merges it makes."""

from __future__ import annotations

from collections.abc import Sequence

from bestpath.methods.recut.settings import Recut

SETS = {"length": "length", "accuracy": "accuracy", "union": "union", "sequential": "accuracy", "sft": "sft"}
"""The training set of each specialist."""

SPECIALISTS = {
    "twin": ("length", "accuracy"),
    "union": ("union",),
    "sequential": ("length", "sequential"),
    "sft": ("sft",),
}
"""The specialists of each training scheme; only `twin` is merged."""


def trained(recut: Recut) -> Sequence[str]:
    """The specialists of a variant."""
    return SPECIALISTS[recut.specialists]


def merged(recut: Recut) -> Sequence[str]:
    """The merges of a variant; only twins are merged."""
    return tuple(recut.merge.methods) if recut.specialists == "twin" else ()
