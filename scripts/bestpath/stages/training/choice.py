"""Choosing a checkpoint and a learning rate on the dev split alone (docs/recut.md, training)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Criterion = Literal["length", "accuracy", "last"]


@dataclass(frozen=True)
class Readout:
    """What a model does on the dev problems, one greedy completion each.

    `accuracy` is the share of correct completions, `mean_tokens` their mean length, `n` the number of problems.
    """

    accuracy: float
    mean_tokens: float
    n: int

    @property
    def standard_error(self) -> float:
        """The binomial standard error of the accuracy."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.n)


def choose_checkpoint(readouts: Mapping[int, Readout], base: Readout | None, criterion: Criterion) -> int:
    """The step whose model is taken.

    `length`: fewest mean tokens among those no less accurate than the base less one standard error; if there is
    none, the most accurate. `accuracy`: the most accurate, ties to fewer tokens. `last`: the last step, whatever
    the readouts. Remaining ties go to the earlier step, which moved less from the base.
    Step 0, the base itself, belongs to the curve but is never chosen: a specialist that equals the base would make
    the merge a merge of one model, and nobody would notice.
    """
    trained = sorted(step for step in readouts if step > 0)
    if criterion == "last":
        return trained[-1]
    return max(trained, key=lambda step: (*_merit(readouts[step], _needed(base), criterion), -step))


def choose_learning_rate(
    runs: Mapping[float, Readout], base: Readout, criterion: Literal["length", "accuracy"]
) -> float:
    """The learning rate whose chosen checkpoint is best by the same criterion; ties go to the smaller rate."""
    return max(runs, key=lambda rate: (*_merit(runs[rate], base, criterion), -rate))


def choose_merge(merges: Mapping[str, Readout], base: Readout) -> str:
    """The merge with the fewest mean tokens among those no less accurate than the base; else the most accurate.

    Stricter than for a checkpoint, since a merge is what the method ends with. Remaining ties go to the first.
    """
    good = [name for name, readout in merges.items() if readout.accuracy >= base.accuracy - 1e-12]
    if good:
        return min(good, key=lambda name: (merges[name].mean_tokens, -merges[name].accuracy))
    return max(merges, key=lambda name: (merges[name].accuracy, -merges[name].mean_tokens))


def is_admissible(readout: Readout, base: Readout) -> bool:
    """Whether a model is no less accurate than the base less one standard error of the base."""
    return readout.accuracy >= base.accuracy - base.standard_error - 1e-12


def _merit(readout: Readout, base: Readout, criterion: Criterion) -> tuple[float, ...]:
    if criterion == "length" and is_admissible(readout, base):
        return (1.0, -readout.mean_tokens, readout.accuracy)
    return (0.0, readout.accuracy, -readout.mean_tokens)


def _needed(base: Readout | None) -> Readout:
    if base is None:
        raise ValueError("choosing on the dev split needs the readout of the base")
    return base
