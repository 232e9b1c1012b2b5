"""Self-improvement over its iterations, as numbers: what became of the hard questions, and how the models answer.

Pure: a reading is what is known of one variant at one iteration and seed.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bestpath.core.tables import Row

Numbers = Mapping[tuple[str, str], float]
"""Values by metric and group, as the tables of the tail hold them."""


@dataclass(frozen=True)
class Reading:
    """One variant at one iteration and seed: the numbers of the set that its model was trained on, and its answers.

    `correct` holds, by level, how many of how many test problems the model solved.
    """

    variant: str
    t: int
    seed: int
    tail: Numbers
    correct: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def numbers_of(rows: Iterable[Row]) -> dict[tuple[str, str], float]:
    """Values by metric and group, from rows of metric, group and value."""
    return {(row["metric"], row["group"]): row["value"] for row in rows}


def correct_by_level(scores: Iterable[Row], levels: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """How many of how many problems of each level are solved; the scores of one decoding."""
    found: dict[str, list[bool]] = {}
    for row in scores:
        found.setdefault(levels[row["problem_id"]], []).append(row["verdict"] == "correct")
    return {level: (sum(right), len(right)) for level, right in sorted(found.items())}


class Story:
    """All readings of an experiment, averaged over its seeds where a number is asked for."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.variants = list(dict.fromkeys(reading.variant for reading in readings))
        self.last = {v: max(r.t for r in readings if r.variant == v) for v in self.variants}
        self._readings = {(r.variant, r.t, r.seed): r for r in readings}
        self.levels = sorted({level for reading in readings for level in reading.correct})
        groups = {group for r in readings for metric, group in r.tail if metric == "row_share"}
        self.hardest = max(groups, default="")

    def readings(self, variant: str, t: int) -> list[Reading]:
        """The readings of all seeds."""
        return [reading for (name, at, _), reading in self._readings.items() if (name, at) == (variant, t)]

    def value(self, variant: str, t: int, metric: str, group: str = "") -> float | None:
        """A number about the training set of an iteration, the mean over seeds; None if there is none."""
        found = [r.tail[metric, group] for r in self.readings(variant, t) if (metric, group) in r.tail]
        return statistics.mean(found) if found else None

    def sum(self, variant: str, t: int, metric: str, groups: Iterable[str]) -> float:
        """The sum of a number over groups."""
        return sum(self.value(variant, t, metric, group) or 0.0 for group in groups)

    def accuracy(self, variant: str, t: int, levels: Iterable[str] | None = None) -> float | None:
        """The accuracy on test problems of some levels (default: all), the mean over seeds."""
        found = self._accuracies(variant, t, levels)
        return statistics.mean(found) if found else None

    def spread(self, variant: str, t: int, levels: Iterable[str] | None = None) -> float | None:
        """The standard error of `accuracy`: over seeds, or binomial for a single one."""
        wanted = list(levels or self.levels)
        found = self._accuracies(variant, t, wanted)
        if len(found) > 1:
            return float(statistics.stdev(found) / len(found) ** 0.5)
        if not found:
            return None
        [only] = self.readings(variant, t)
        n = sum(only.correct[level][1] for level in wanted)
        return float((found[0] * (1 - found[0]) / n) ** 0.5)

    def _accuracies(self, variant: str, t: int, levels: Iterable[str] | None) -> list[float]:
        wanted = list(levels or self.levels)
        found = []
        for reading in self.readings(variant, t):
            if wanted and all(level in reading.correct for level in wanted):
                right, n = (sum(part) for part in zip(*(reading.correct[level] for level in wanted), strict=True))
                found.append(right / n)
        return found

    def tokens(self, variant: str, t: int) -> float:
        """Tokens generated for the training sets up to iteration t, the teacher's included."""
        return sum(
            self.sum(variant, at, "generated_tokens", ("plain", "guided"))
            + (self.value(variant, at, "teacher_tokens") or 0.0)
            for at in range(1, t + 1)
        )

    def groups(self, metric: str, variant: str, t: int) -> list[str]:
        """The groups that a number is known of, in their order."""
        return sorted({group for r in self.readings(variant, t) for name, group in r.tail if name == metric})


def percent(share: float | None) -> str:
    """A share as a percentage without its sign."""
    return "" if share is None else f"{100 * share:.1f}"


def spoken(variant: str) -> str:
    """The name of a variant in sentences and tables."""
    return variant.replace("_", " ")
