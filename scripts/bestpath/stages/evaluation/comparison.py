"""Systems set against each other: a paired bootstrap by problem, for any two of them from the same resamples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bestpath.core.errors import UserError
from bestpath.core.systems import Comparison
from bestpath.stages.evaluation.metrics import Floats, Seeds, existing, items_of_seeds, mean, spread

Interval = tuple[float | None, float | None]

RESAMPLES = 10_000
BATCH = 1_000  # resamples drawn at once
TAIL = (1 - 0.95) / 2

_NOTHING = (None, None, None)


@dataclass(frozen=True)
class Difference:
    """A system against a reference in one metric, on the `n` problems that have a value on both sides.

    `accuracy` is a difference of shares, `tokens` a ratio of mean lengths. A single problem has no interval.
    """

    system: str
    reference: str
    metric: str
    value: float
    ci_low: float | None
    ci_high: float | None
    n: int


def compare(
    systems: Mapping[str, Seeds], seed: int, resamples: int = RESAMPLES
) -> tuple[dict[str, Comparison], list[Difference]]:
    """Compare each system with the first, the reference, and any two of them, paired by problem.

    Values are averaged over a system's seeds first; of two systems the earlier is the reference of the pair. Equal
    seeds resample as many problems in the same way, so all pairs share their resamples, under every decoding of a
    data set; but of two systems of which one has no value for some problem, the common problems are resampled.
    Raises UserError when two systems cover different problems.
    """
    of_seeds = {label: items_of_seeds(seeds) for label, seeds in systems.items()}
    items = {label: mean_items for label, (_, mean_items) in of_seeds.items()}
    (reference, first), *others = items.items()
    for label, own in others:
        if own.ids != first.ids:
            raise UserError(
                f"{label} and {reference} were not evaluated on the same problems, so they cannot be compared; "
                "evaluate both on the same set"
            )
    values = {
        _ACCURACY: np.array([own.accuracy for own in items.values()]),
        _TOKENS: np.array([own.tokens for own in items.values()]),
    }
    resample = partial(_resampled_sums, seed=seed, resamples=resamples)
    sums = np.split(resample(np.nan_to_num(np.concatenate(list(values.values())))), len(values))
    differences = [
        difference
        for (metric, of_metric), shared in zip(values.items(), sums, strict=True)
        for difference in _differences(metric, list(items), of_metric, shared, resample)
    ]
    against = {(d.system, d.metric): (d.value, d.ci_low, d.ci_high) for d in differences if d.reference == reference}
    comparisons = {reference: Comparison()}
    for label, own in others:
        delta, delta_low, delta_high = against.get((label, "accuracy"), _NOTHING)
        ratio, ratio_low, ratio_high = against.get((label, "tokens"), _NOTHING)
        # a seed that both have is set against itself, any other against the reference's mean
        pairs = [(ours, of_seeds[reference][0].get(key, first)) for key, ours in of_seeds[label][0].items()]
        lengths = _common(own.tokens, first.tokens)
        comparisons[label] = Comparison(
            reference=reference,
            delta=delta,
            delta_low=delta_low,
            delta_high=delta_high,
            delta_seed_sd=spread(mean(existing(ours.accuracy - theirs.accuracy)) for ours, theirs in pairs),
            token_ratio=ratio,
            ratio_low=ratio_low,
            ratio_high=ratio_high,
            ratio_seed_sd=spread(_ratio(*_common(ours.tokens, theirs.tokens)) for ours, theirs in pairs),
            token_ratio_items=mean([m / b for m, b in zip(*lengths, strict=True) if b > 0]),
        )
    return comparisons, differences


@dataclass(frozen=True)
class _Metric:
    """How two systems are set against each other.

    `value` is of their values by problem, and None where it does not exist. `resampled` is of the sums over resamples
    of n problems (several systems x resamples, and resamples), on a scale that quantiles are taken on, and `back`
    leads back from it.
    """

    name: str
    value: Callable[[Floats, Floats], float | None]
    resampled: Callable[[Floats, Floats, int], Floats]
    back: Callable[[float], float]


def _ratio(ours: Floats, theirs: Floats) -> float | None:
    above, below = mean(ours), mean(theirs)
    return above / below if above and below else None


# sums of verdicts are exact, so they are subtracted before anything is rounded
_ACCURACY = _Metric("accuracy", lambda a, b: mean(a - b), lambda a, b, n: (a - b) / n, float)
_TOKENS = _Metric("tokens", _ratio, lambda a, b, n: np.log((a / n) / (b / n)), math.exp)


def _differences(
    metric: _Metric, labels: Sequence[str], values: Floats, sums: Floats, resample: Callable[[Floats], Floats]
) -> Iterator[Difference]:
    """All pairs of systems, each with the earlier one as its reference.

    `values` are systems x problems, and `sums` their sums over the shared resamples.
    """
    complete = [not np.isnan(row).any() for row in values]
    for j, reference in enumerate(labels):
        later = range(j + 1, len(labels))
        together = [i for i in later if complete[i] and complete[j]]
        intervals = dict(zip(together, _intervals(metric, sums[together], sums[j], values.shape[1]), strict=True))
        for i in later:
            ours, theirs = _common(values[i], values[j])
            value = metric.value(ours, theirs)
            if value is None:
                continue
            if i not in intervals:
                [above, below] = resample(np.stack([ours, theirs]))
                [intervals[i]] = _intervals(metric, above[None], below, len(ours))
            yield Difference(labels[i], reference, metric.name, value, *intervals[i], len(ours))


def _resampled_sums(values: Floats, seed: int, resamples: int) -> Floats:
    """The sums of each row over the same resamples of its columns: rows x resamples."""
    from scipy.stats import bootstrap

    rows, problems = values.shape
    if problems < 2:
        return np.zeros((rows, 0))

    def sums(drawn: Floats, axis: int = -1) -> Floats:
        cells = drawn + problems * np.arange(len(drawn))[:, None]
        times = np.bincount(cells.ravel(), minlength=drawn.size).reshape(drawn.shape)
        return np.asarray(values @ times.T)

    # one bootstrap of the problems' numbers serves all systems: its distribution is what every pair starts from
    return np.asarray(
        bootstrap(
            (np.arange(problems),),
            sums,
            n_resamples=resamples,
            batch=BATCH,
            vectorized=True,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    )


def _intervals(metric: _Metric, ours: Floats, theirs: Floats, problems: int) -> list[Interval]:
    """The percentile intervals of some systems against one, from their resampled sums."""
    from scipy.stats import quantile

    if not ours.size:
        return [(None, None)] * len(ours)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample without any token has no ratio
        bounds = quantile(metric.resampled(ours, theirs, problems), [TAIL, 1 - TAIL], axis=-1)
    return [
        (metric.back(low), metric.back(high)) if np.isfinite([low, high]).all() else (None, None)
        for low, high in bounds.tolist()
    ]


def _common(ours: Floats, theirs: Floats) -> tuple[Floats, Floats]:
    """The values of the problems that have one on both sides."""
    both = ~(np.isnan(ours) | np.isnan(theirs))
    return ours[both], theirs[both]
