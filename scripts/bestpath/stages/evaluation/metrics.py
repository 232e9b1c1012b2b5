"""From scored samples to numbers: accuracy, tokens and rates of a system, and its difference from the base.

All functions are pure and take rows of `SCORES`. A system may have several seeds (the same recipe trained
again); a mapping from seed to rows then stands for it, and every seed must cover the same problems.

Conventions (recut specification 3.9): a problem's value is the mean over its samples, a metric the mean over
problems. A truncated sample is wrong whatever it says, and counts its full length. A sample whose correctness
could not be decided in time is not correct, but does not count as wrong either. A sample that the engine failed
to produce is not correct and has no length. Standard errors are clustered by problem.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bestpath.core.errors import UserError
from bestpath.core.tables import Row

Floats = NDArray[np.float64]
Seeds = Mapping[int, Sequence[Row]]
Interval = tuple[float | None, float | None]

RESAMPLES = 10_000
BATCH = 1_000  # resamples held in memory at once


@dataclass(frozen=True)
class Measurement:
    """What the samples of one system show. Rates and accuracies are shares of 1; lengths are in tokens.

    Values that do not exist are None: spreads with one seed, `tokens_correct` with no correct sample.
    """

    problems: int
    samples: int
    seeds: int
    accuracy: float
    accuracy_se: float
    accuracy_seed_sd: float | None
    tokens: float | None
    tokens_se: float | None
    tokens_seed_sd: float | None
    tokens_median: float | None
    tokens_correct: float | None
    tokens_wrong: float | None
    truncation: float
    no_answer: float
    undecided: float
    errors: float


@dataclass(frozen=True)
class Comparison:
    """A system minus the base on the same problems, with 95 % intervals of a paired bootstrap by problem.

    `token_ratio` is the ratio of mean lengths; `token_ratio_items` the mean of the problems' own ratios. The
    intervals cover the choice of problems; the spread over seeds stands beside them. Values that do not exist
    are None: intervals of a single problem, ratios when no problem has lengths on both sides.
    """

    delta: float
    delta_low: float | None
    delta_high: float | None
    delta_seed_sd: float | None
    token_ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    ratio_seed_sd: float | None
    token_ratio_items: float | None


@dataclass(frozen=True)
class Items:
    """A system's values problem by problem: accuracy, and mean tokens (nan without any length)."""

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
    accuracy = [_mean([is_correct(row) for row in samples[i]]) for i in ids]
    tokens = [_mean(_lengths(samples[i])) for i in ids]
    return Items(ids, np.array(accuracy, dtype=float), np.array(tokens, dtype=float))  # None becomes nan


def measure(seeds: Seeds) -> Measurement:
    """Measure a system: the mean over samples, then problems; over seeds with the spread between them.

    Raises UserError when there is nothing to measure or when the seeds cover different problems.
    """
    by_seed, mean = _items(seeds)
    rows = [row for scores in seeds.values() for row in scores]
    lengths = _lengths(rows)
    tokens = mean.tokens[~np.isnan(mean.tokens)]
    return Measurement(
        problems=len(mean.ids),
        samples=len(rows),
        seeds=len(seeds),
        accuracy=float(mean.accuracy.mean()),
        accuracy_se=_standard_error(mean.accuracy),
        accuracy_seed_sd=_spread([items.accuracy.mean() for items in by_seed.values()]),
        tokens=_mean(tokens),
        tokens_se=_standard_error(tokens) if len(tokens) else None,
        tokens_seed_sd=_spread([_mean(i.tokens[~np.isnan(i.tokens)]) for i in by_seed.values()]),
        tokens_median=float(np.median(lengths)) if lengths else None,
        tokens_correct=_mean(_lengths(r for r in rows if is_correct(r))),
        tokens_wrong=_mean(_lengths(r for r in rows if not is_correct(r) and r["verdict"] != "timeout")),
        truncation=_share(rows, lambda row: row["finish_reason"] == "length"),
        no_answer=_share(rows, lambda row: row["verdict"] == "no_answer"),
        undecided=_share(rows, lambda row: row["verdict"] == "timeout"),
        errors=_share(rows, lambda row: row["finish_reason"] == "error"),
    )


def compare(model: Seeds, base: Seeds, seed: int, resamples: int = RESAMPLES) -> Comparison:
    """Compare a system with the base, paired by problem after averaging over seeds.

    A seed of the system that the base has too is set against it, any other against the base's mean; this
    matters only for the spread over seeds. `seed` makes the bootstrap reproducible. Raises UserError when the
    two cover different problems.
    """
    model_by_seed, ours = _items(model)
    base_by_seed, theirs = _items(base)
    if ours.ids != theirs.ids:
        raise UserError(
            "a system and the base were not evaluated on the same problems, so they cannot be compared; "
            "evaluate both on the same set"
        )
    against = [(items, base_by_seed.get(key, theirs)) for key, items in model_by_seed.items()]
    difference = ours.accuracy - theirs.accuracy
    delta_low, delta_high = _interval((difference,), _mean_along, seed, resamples)
    tokens = _paired_tokens(ours, theirs)
    ratio = _token_ratio(*tokens)
    log_low, log_high = _interval(tokens, _log_ratio_along, seed, resamples) if ratio else (None, None)
    return Comparison(
        delta=float(difference.mean()),
        delta_low=delta_low,
        delta_high=delta_high,
        delta_seed_sd=_spread([(m.accuracy - b.accuracy).mean() for m, b in against]),
        token_ratio=ratio,
        ratio_low=None if log_low is None else math.exp(log_low),
        ratio_high=None if log_high is None else math.exp(log_high),
        ratio_seed_sd=_spread([_token_ratio(*_paired_tokens(m, b)) for m, b in against]),
        token_ratio_items=_mean([m / b for m, b in zip(*tokens, strict=True) if b > 0]),
    )


def metric_rows(model: str, dataset: str, measured: Measurement, compared: Comparison | None = None) -> list[Row]:
    """The same numbers as rows of `METRICS`, the ones that do not exist left out."""
    values: dict[str, tuple[float | None, float | None, float | None]] = {
        "accuracy": _around(measured.accuracy, measured.accuracy_se),
        "tokens": _around(measured.tokens, measured.tokens_se),
    }
    plain = (
        "accuracy_se", "accuracy_seed_sd", "tokens_median", "tokens_correct", "tokens_wrong", "tokens_seed_sd",
        "truncation", "no_answer", "undecided", "errors",
    )  # fmt: skip
    values |= {name: (getattr(measured, name), None, None) for name in plain}
    if compared is not None:
        values |= {
            "accuracy_minus_base": (compared.delta, compared.delta_low, compared.delta_high),
            "token_ratio": (compared.token_ratio, compared.ratio_low, compared.ratio_high),
            "token_ratio_items": (compared.token_ratio_items, None, None),
        }
    return [
        {"model": model, "dataset": dataset, "metric": name, "value": value, "ci_low": low, "ci_high": high,
         "n": measured.problems}
        for name, (value, low, high) in values.items()
        if value is not None
    ]  # fmt: skip


def _items(seeds: Seeds) -> tuple[dict[int, Items], Items]:
    """The values of every seed, and their mean over seeds."""
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


def _paired_tokens(model: Items, base: Items) -> tuple[Floats, Floats]:
    """The lengths of the problems that have one on both sides."""
    known = ~(np.isnan(model.tokens) | np.isnan(base.tokens))
    return model.tokens[known], base.tokens[known]


def _interval(data: tuple[Floats, ...], statistic: Callable[..., Floats], seed: int, resamples: int) -> Interval:
    """A 95 % percentile interval of the paired bootstrap; none for fewer than two problems."""
    from scipy.stats import bootstrap

    if len(data[0]) < 2:
        return None, None
    interval = bootstrap(
        data,
        statistic,
        n_resamples=resamples,
        batch=BATCH,
        vectorized=True,
        paired=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _mean_along(values: Floats, axis: int = -1) -> Floats:
    return np.asarray(values.mean(axis=axis))


def _log_ratio_along(model: Floats, base: Floats, axis: int = -1) -> Floats:
    return np.asarray(np.log(model.mean(axis=axis) / base.mean(axis=axis)))


def _token_ratio(model: Floats, base: Floats) -> float | None:
    """The ratio of mean lengths, None where it does not exist."""
    ours, theirs = _mean(model), _mean(base)
    return ours / theirs if ours and theirs else None


def _lengths(rows: Iterable[Row]) -> list[int]:
    return [row["n_tokens"] for row in rows if row["finish_reason"] != "error"]


def _mean(values: Sequence[float] | Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _share(rows: Sequence[Row], condition: Callable[[Row], bool]) -> float:
    return sum(map(condition, rows)) / len(rows)


def _standard_error(items: Floats) -> float:
    return float(items.std() / math.sqrt(len(items)))


def _spread(values: Sequence[float | None]) -> float | None:
    """The standard deviation over seeds; None for one seed."""
    known = [value for value in values if value is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def _around(value: float | None, standard_error: float | None) -> tuple[float | None, float | None, float | None]:
    """A value with its normal 95 % interval."""
    if value is None or standard_error is None:
        return value, None, None
    return value, value - 1.96 * standard_error, value + 1.96 * standard_error
