"""The results of an experiment: every system measured, and compared with the base, under every decoding.

A *system* is a model under a prompt: `base`, `base, short prompt`, `length specialist`, `merged: linear-0.5`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, TypeVar

from bestpath.core.errors import UserError
from bestpath.core.io import read_json
from bestpath.core.tables import Row
from bestpath.stages.evaluation.metrics import RESAMPLES, Comparison, Measurement, compare, measure, metric_rows

Kind = Literal["base", "prompt", "specialist", "merged", "baseline"]
Part = TypeVar("Part", Measurement, Comparison)


@dataclass(frozen=True)
class Run:
    """The scored samples of one system on one data set under one decoding, for one seed.

    `kind` groups the systems: the base, the base under another prompt, a specialist, a merge of specialists, or
    another baseline. `variant` is the ablation that the system belongs to; systems of two variants have two names.
    """

    system: str
    kind: Kind
    dataset: str
    decoding: str
    max_tokens: int
    scores: Sequence[Row]
    variant: str = "main"
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """One row of the result table; `compared` is None for the base itself."""

    system: str
    kind: Kind
    variant: str
    dataset: str
    decoding: str
    max_tokens: int
    measured: Measurement
    compared: Comparison | None


def results_of(runs: Iterable[Run], seed: int, base: str = "base", resamples: int = RESAMPLES) -> list[Result]:
    """Measure every system and compare it with the base on the same data set under the same decoding.

    Runs that differ only in their seed are repetitions of one system. The results keep the order in which data
    sets, decodings and systems first appear. Raises UserError when the base was not evaluated somewhere, when
    one run is given twice, or when the problems of two runs to be compared differ.
    """
    groups: dict[tuple[str, str, str, str], dict[int, Run]] = {}
    for run in runs:
        group = groups.setdefault((run.dataset, run.decoding, run.variant, run.system), {})
        if run.seed in group:
            raise UserError(f"{_label(run)} was given twice for seed {run.seed}; pass every run once")
        group[run.seed] = run
    bases = {key[:2]: _scores(group) for key, group in groups.items() if key[3] == base}
    results = []
    for (dataset, decoding, variant, system), group in _ordered(groups):
        first = next(iter(group.values()))
        if (dataset, decoding) not in bases:
            raise UserError(f"{_label(first)} has no {base} to be compared with; evaluate the {base} there too")
        scores = _scores(group)
        compared = None if system == base else compare(scores, bases[dataset, decoding], seed, resamples)
        results.append(
            Result(system, first.kind, variant, dataset, decoding, first.max_tokens, measure(scores), compared)
        )
    return results


def wide_row(result: Result) -> Row:
    """A result as one flat row: what it is of, all of its `Measurement`, all of its `Comparison` (or None)."""
    nothing = dict.fromkeys(field.name for field in fields(Comparison))
    return {
        "system": result.system,
        "kind": result.kind,
        "variant": result.variant,
        "dataset": result.dataset,
        "decoding": result.decoding,
        "max_tokens": result.max_tokens,
        **asdict(result.measured),
        **(asdict(result.compared) if result.compared else nothing),
    }


def read_results(path: Path | str) -> list[Result]:
    """The results in a results.json, as `table.write_results` wrote it."""
    return [_result(row) for row in read_json(path)]


def _result(row: Row) -> Result:
    """The inverse of `wide_row`."""

    def part(kind: type[Part]) -> Part:
        return kind(**{field.name: row[field.name] for field in fields(kind)})

    return Result(
        system=row["system"],
        kind=row["kind"],
        variant=row["variant"],
        dataset=row["dataset"],
        decoding=row["decoding"],
        max_tokens=row["max_tokens"],
        measured=part(Measurement),
        compared=None if row["delta"] is None else part(Comparison),
    )


def long_rows(results: Iterable[Result]) -> list[Row]:
    """The results as rows of `METRICS`; the column `dataset` reads `<data set>/<decoding>`."""
    return [
        row
        for result in results
        for row in metric_rows(result.system, f"{result.dataset}/{result.decoding}", result.measured, result.compared)
    ]


Groups = dict[tuple[str, str, str, str], dict[int, Run]]


def _ordered(groups: Groups) -> list[tuple[tuple[str, str, str, str], dict[int, Run]]]:
    """By data set, then decoding, then system, each in the order of first appearance."""
    datasets = list(dict.fromkeys(key[0] for key in groups))
    decodings = list(dict.fromkeys(key[1] for key in groups))
    return sorted(groups.items(), key=lambda item: (datasets.index(item[0][0]), decodings.index(item[0][1])))


def _scores(group: dict[int, Run]) -> dict[int, Sequence[Row]]:
    return {seed: run.scores for seed, run in sorted(group.items())}


def _label(run: Run) -> str:
    return f"system '{run.system}' ({run.variant}) on {run.dataset}, {run.decoding},"
