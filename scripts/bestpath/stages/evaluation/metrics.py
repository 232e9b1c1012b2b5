"""From scored samples to numbers: accuracy, tokens and rates of a system.

All functions are pure and take rows of `SCORES`. A system may have several seeds (the same recipe trained
again); a mapping from seed to rows then stands for it, and every seed must cover the same problems.

Conventions (docs/recut.md, evaluation): a problem's value is the mean over its samples, a metric the mean over
problems. A truncated sample is wrong whatever it says, and counts its full length. A sample whose correctness
could not be decided in time is not correct, but does not count as wrong either. A sample that the engine failed
to produce is not correct and has no length. An ungraded sample is neither correct nor wrong, and has no part in
the accuracy. Standard errors are clustered by problem.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bestpath.core.errors import UserError
from bestpath.core.systems import Measurement
from bestpath.core.tables import Row

Floats = NDArray[np.float64]
Seeds = Mapping[int, Sequence[Row]]


@dataclass(frozen=True)
class Items:
    """A system's values problem by problem: accuracy (nan if ungraded), and mean tokens (nan without any length)."""

    ids: tuple[str, ...]
    accuracy: Floats
    tokens: Floats


def is_correct(row: Row) -> bool:
    """Whether a sample counts as correct: verified, and complete."""
    return row["verdict"] == "correct" and row["finish_reason"] not in {"length", "error"}


def items_of(scores: Iterable[Row]) -> Items:
    """The values of one seed, problem by problem, in the order of the problem ids."""
    samples: dict[str, list[Row]] = defaultdict(list)
    for row in scores:
        samples[row["problem_id"]].append(row)
    ids = tuple(sorted(samples))
    accuracy = [mean([is_correct(row) for row in samples[i] if row["verdict"] != "ungraded"]) for i in ids]
    tokens = [mean(_lengths(samples[i])) for i in ids]
    return Items(ids, np.array(accuracy, dtype=float), np.array(tokens, dtype=float))  # None becomes nan


def items_of_seeds(seeds: Seeds) -> tuple[dict[int, Items], Items]:
    """The values of every seed, and their mean over seeds.

    Raises UserError when there is nothing to measure or when the seeds cover different problems.
    """
    by_seed = {seed: items_of(scores) for seed, scores in seeds.items()}
    if not by_seed or any(not items.ids for items in by_seed.values()):
        raise UserError("there are no scored samples to measure; evaluate the model first")
    ids = {items.ids for items in by_seed.values()}
    if len(ids) > 1:
        raise UserError(
            "the seeds of a system were evaluated on different problems; evaluate every seed on the same set"
        )
    tokens = np.ma.masked_invalid([items.tokens for items in by_seed.values()])
    accuracy = np.mean([items.accuracy for items in by_seed.values()], axis=0)
    return by_seed, Items(ids.pop(), accuracy, tokens.mean(axis=0).filled(np.nan))


def measure(seeds: Seeds) -> Measurement:
    """Measure a system: the mean over samples, then problems; over seeds with the spread between them.

    Raises UserError when there is nothing to measure or when the seeds cover different problems.
    """
    by_seed, items = items_of_seeds(seeds)
    rows = [row for scores in seeds.values() for row in scores]
    lengths = _lengths(rows)
    accuracy, tokens = existing(items.accuracy), existing(items.tokens)
    return Measurement(
        problems=len(items.ids),
        samples=len(rows),
        seeds=len(seeds),
        accuracy=mean(accuracy),
        accuracy_se=_standard_error(accuracy),
        accuracy_seed_sd=spread(mean(existing(items.accuracy)) for items in by_seed.values()),
        tokens=mean(tokens),
        tokens_se=_standard_error(tokens),
        tokens_seed_sd=spread(mean(existing(items.tokens)) for items in by_seed.values()),
        tokens_median=float(np.median(lengths)) if lengths else None,
        tokens_correct=mean(_lengths(row for row in rows if is_correct(row))),
        tokens_wrong=mean(_lengths(row for row in rows if _is_wrong(row))),
        truncation=_share(rows, lambda row: row["finish_reason"] == "length"),
        no_answer=_share(rows, lambda row: row["verdict"] == "no_answer"),
        undecided=_share(rows, lambda row: row["verdict"] == "timeout"),
        errors=_share(rows, lambda row: row["finish_reason"] == "error"),
    )


def mean(values: Sequence[float] | Floats) -> float | None:
    """The mean, None of nothing."""
    return float(np.mean(values)) if len(values) else None


def existing(values: Floats) -> Floats:
    """The values that exist."""
    return values[~np.isnan(values)]


def spread(values: Iterable[float | None]) -> float | None:
    """The standard deviation over seeds; None for one seed."""
    over = [value for value in values if value is not None]
    return float(np.std(over, ddof=1)) if len(over) > 1 else None


def _is_wrong(row: Row) -> bool:
    return not is_correct(row) and row["verdict"] not in {"timeout", "ungraded"}


def _lengths(rows: Iterable[Row]) -> list[int]:
    return [row["n_tokens"] for row in rows if row["finish_reason"] != "error"]


def _share(rows: Sequence[Row], condition: Callable[[Row], bool]) -> float:
    return sum(map(condition, rows)) / len(rows)


def _standard_error(values: Floats) -> float | None:
    return float(values.std() / math.sqrt(len(values))) if len(values) else None
