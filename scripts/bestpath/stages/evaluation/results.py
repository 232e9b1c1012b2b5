"""The results of an experiment: every system measured, and any two compared, on every data set, under every decoding.

A *system* is known here by its label: `base`, `base, short prompt`, `length specialist`, `merged: linear-0.5`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.io import read_json
from bestpath.core.systems import BASE, Comparison, Evaluated, Kind, Measurement, Spent, SystemRow
from bestpath.core.tables import Row
from bestpath.stages.evaluation.comparison import RESAMPLES, compare
from bestpath.stages.evaluation.metrics import measure
from bestpath.stages.evaluation.tables import METRICS


@dataclass(frozen=True)
class Run:
    """The scored samples of one system on one data set under one decoding, for one seed (see `core.systems.System`)."""

    system: str
    kind: Kind
    dataset: str
    decoding: str
    max_tokens: int
    scores: Sequence[Row]
    variant: str = "main"
    seed: int = 0
    method: str = ""
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True)
class Results:
    """The lines of the result table, and the rows of `DIFFERENCES`."""

    systems: list[SystemRow]
    differences: list[Row]


def results_of(runs: Iterable[Run], seed: int, reference: str = BASE, resamples: int = RESAMPLES) -> Results:
    """Measure every system, compare it with the reference, and any two systems, on the same data set under the same
    decoding.

    Runs that differ only in their seed are repetitions of one system. The lines keep the order in which data sets,
    decodings and systems first appear. The reference of a pair is that of the experiment or else the earlier system.
    Raises UserError when the reference was not evaluated somewhere, when one run is given twice, when two systems
    have one name, or when the problems of two runs to be compared differ.
    """
    lines: list[SystemRow] = []
    differences: list[Row] = []
    for (dataset, decoding), groups in _grouped(runs).items():
        if reference not in groups:
            first = next(iter(next(iter(groups.values())).values()))
            raise UserError(
                f"{_name(first)} has no {reference} to be compared with; evaluate the {reference} there too"
            )
        scores = {
            label: {number: run.scores for number, run in sorted(groups[label].items())}
            for label in (reference, *(label for label in groups if label != reference))
        }
        comparisons, between = compare(scores, seed, resamples)
        lines += [_line(group.values(), measure(scores[label]), comparisons[label]) for label, group in groups.items()]
        differences += [{**asdict(one), "dataset": dataset, "decoding": decoding} for one in between]
    return Results(lines, differences)


def read_results(path: Path | str) -> list[SystemRow]:
    """The lines of the result table in a results.json, as `result_tables.write_results` wrote it."""
    return [SystemRow(**row) for row in read_json(path)]


def metric_rows(lines: Iterable[SystemRow]) -> list[Row]:
    """The numbers of the lines as rows of `METRICS`, the ones that do not exist left out."""
    return [row for line in lines for row in _metric_rows(line)]


def joined_metrics(own: Sequence[Row], others: Mapping[str, Sequence[Row]], labels: Iterable[str]) -> list[Row]:
    """The rows of `METRICS` of the evaluation and those that methods add, by the file that holds them.

    Raises UserError for a metric of a system that the experiment does not have, and for one that is given twice.
    """
    known = {*labels, None}
    joined = {tuple(row[column] for column in METRICS.key): row for row in own}
    for file, rows in others.items():
        for row in rows:
            strange = {row["system"], row["reference"]} - known
            if strange:
                raise UserError(
                    f"{file} holds the metric {row['metric']} of '{min(strange)}', which is no system of this "
                    "experiment; declare the system or leave the metric out"
                )
            key = tuple(row[column] for column in METRICS.key)
            if key in joined:
                raise UserError(
                    f"{file} holds the metric {row['metric']} of '{row['system']}' on {row['dataset']}, "
                    f"{row['decoding']}, which is there already; give one of the two another name"
                )
            joined[key] = row
    return list(joined.values())


def _grouped(runs: Iterable[Run]) -> dict[tuple[str, str], dict[str, dict[int, Run]]]:
    """The runs of each data set and decoding by system and seed, all in the order of first appearance."""
    runs = list(runs)
    datasets = list(dict.fromkeys(run.dataset for run in runs))
    decodings = list(dict.fromkeys(run.decoding for run in runs))
    groups: dict[tuple[str, str], dict[str, dict[int, Run]]] = {}
    for run in sorted(runs, key=lambda run: (datasets.index(run.dataset), decodings.index(run.decoding))):
        group = groups.setdefault((run.dataset, run.decoding), {}).setdefault(run.system, {})
        if run.seed in group:
            raise UserError(f"{_name(run)} was given twice for seed {run.seed}; pass every run once")
        first = next(iter(group.values()), run)
        if (first.method, first.kind, first.variant) != (run.method, run.kind, run.variant):
            raise UserError(
                f"{_name(run)} is another system than '{first.system}' ({first.variant}); give it a name of its own"
            )
        group[run.seed] = run
    return groups


def _line(runs: Iterable[Run], measured: Measurement, compared: Comparison) -> SystemRow:
    """One line from the repetitions of a system."""
    first, *more = runs
    spent = [asdict(run.spent) for run in (first, *more)]
    means = {name: sum(one[name] for one in spent) / len(spent) for name in spent[0]}
    of: dict[str, Any] = {part.name: getattr(first, part.name) for part in fields(Evaluated)}
    return SystemRow(**of, **asdict(measured), **asdict(compared), **means)


def _metric_rows(line: SystemRow) -> list[Row]:
    plain = (
        "accuracy_se", "accuracy_seed_sd", "tokens_median", "tokens_correct", "tokens_wrong", "tokens_seed_sd",
        "truncation", "no_answer", "undecided", "errors",
    )  # fmt: skip
    values: dict[str, tuple[float | None, float | None, float | None]] = {
        "accuracy": _around(line.accuracy, line.accuracy_se),
        "tokens": _around(line.tokens, line.tokens_se),
        **{name: (getattr(line, name), None, None) for name in plain},
    }
    compared = {
        "accuracy_difference": (line.delta, line.delta_low, line.delta_high),
        "token_ratio": (line.token_ratio, line.ratio_low, line.ratio_high),
        "token_ratio_items": (line.token_ratio_items, None, None),
    }
    return [
        {"system": line.system, "reference": line.reference if name in compared else None, "dataset": line.dataset,
         "decoding": line.decoding, "metric": name, "value": value, "ci_low": low, "ci_high": high, "n": line.problems}
        for name, (value, low, high) in (values | compared).items()
        if value is not None
    ]  # fmt: skip


def _around(value: float | None, standard_error: float | None) -> tuple[float | None, float | None, float | None]:
    """A value with its normal 95 % interval."""
    if value is None or standard_error is None:
        return value, None, None
    return value, value - 1.96 * standard_error, value + 1.96 * standard_error


def _name(run: Run) -> str:
    return f"system '{run.system}' ({run.variant}) on {run.dataset}, {run.decoding},"
