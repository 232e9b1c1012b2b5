"""From training metrics and merge reports to what the report shows of the models. Pure, on plain rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bestpath.core.tables import Row
from bestpath.stages.report.data import Chart, Extra, Line, Merge, Pairs, Readout, Specialist, TrainingRun
from bestpath.stages.report.words import CHOICE, TRAINING_WARNINGS


@dataclass(frozen=True)
class Trained:
    """The metrics of one training run, rows of step, name and value, and what the run was."""

    specialist: str
    learning_rate: float
    seed: int
    metrics: Sequence[Row]


def specialist_of(name: str, runs: Iterable[Trained], choice: Row, rows: Sequence[Row]) -> Specialist:
    """What the report shows of a specialist.

    `runs` are its training runs, `choice` what the dev split chose among them (`learning_rate`, `criterion`), `rows`
    its training set.
    """
    own = tuple(training_run(run, run.learning_rate == choice["learning_rate"]) for run in runs)
    base = next((readout for readout in own[0].readouts if readout.step == 0), None)
    return Specialist(name, own, base, CHOICE[choice["criterion"]], facts_of(rows))


def facts_of(rows: Sequence[Row]) -> Pairs:
    """The size of a training set of pairs or of completions, and the mean lengths of its texts, in tokens."""
    columns = {"chosen_tokens": "winners", "rejected_tokens": "losers", "n_tokens": "completions"}
    lengths = {
        f"mean tokens of the {what}": f"{sum(row[column] for row in rows) / len(rows):.1f}"
        for column, what in columns.items()
        if rows and column in rows[0]
    }
    return (("training rows", f"{len(rows):,}"), *lengths.items())


def training_run(run: Trained, taken: bool) -> TrainingRun:
    """What the report shows of one training run.

    `taken` says whether this learning rate was chosen; only then its checkpoint is pointed out. The readout of
    step 0 is that of the base.
    """
    named = _by_name(run.metrics)
    chosen = max(named.get("chosen", {}), default=None) if taken else None
    return TrainingRun(
        learning_rate=run.learning_rate,
        seed=run.seed,
        loss=tuple(sorted(named.get("train/loss", {}).items())),
        dev_loss=tuple(sorted(named.get("dev/loss", {}).items())),
        margin=tuple(sorted(named.get("train/rewards/margins", {}).items())),
        readouts=_readouts(named),
        chosen_step=chosen,
    )


def warnings_of(runs: Iterable[Trained]) -> list[str]:
    """The warnings of training runs, in sentences that begin with the specialist and its learning rate."""
    return [
        f"{run.specialist}, {run.learning_rate:g}: {TRAINING_WARNINGS.get(name, name.replace('_', ' '))}."
        for run in runs
        for name in (row["name"].removeprefix("warning/") for row in run.metrics if row["name"].startswith("warning/"))
    ]


def merge_of(
    name: str, settings: Mapping[str, object], total: Mapping[str, float], models: tuple[str, str], choice: Row
) -> Merge:
    """A merge from the numbers of its merge report for all weights together, by name.

    `models` are the names of the two merged models there; `choice` is what the dev split chose among the merges, and
    how each reads there.
    """
    one, two = models
    dev = choice["merges"][name]
    cosine = total[f"cosine/{one}/{two}"]
    a, b = total[f"norm/{one}"], total[f"norm/{two}"]
    mean = math.sqrt(max(0.0, a * a + b * b + 2 * cosine * a * b)) / 2
    return Merge(
        name=name,
        settings=", ".join(f"{key} {value}" for key, value in settings.items() if value is not None),
        dev_accuracy=dev["accuracy"],
        dev_tokens=dev["mean_tokens"],
        cosine=cosine,
        sign_agreement=total[f"sign_agreement/{one}/{two}"],
        norm_ratio=total["norm/merged"] / mean if mean else None,
        changed=total["changed"],
        chosen=name == choice["chosen"],
    )


def pretraining_of(metrics: Sequence[Row]) -> Extra:
    """How the embedded base was pretrained: its loss, and what it does on documents that it has not seen."""
    loss = [(float(row["step"]), row["value"]) for row in metrics if row["name"] == "train/loss"]
    steps, values = zip(*loss, strict=True)
    held_out = {row["name"]: row["value"] for row in metrics if row["name"].startswith("held-out/")}
    table = [("lesson", "loss", "tokens predicted right, %")]
    for lesson in sorted({name.rsplit("/", 1)[0] for name in held_out}):
        right = held_out[f"{lesson}/token_accuracy"]
        table.append((lesson.removeprefix("held-out/"), f"{held_out[f'{lesson}/loss']:.3f}", f"{100 * right:.1f}"))
    chart = Chart("pretraining-loss", "pretraining", "step", "loss", (Line("loss", tuple(steps), tuple(values)),))
    text = "The base was pretrained by the workflow on the embedded language; the table is on unseen documents."
    return Extra("Pretraining", (text,), (chart,), tuple(table))


def _by_name(metrics: Iterable[Row]) -> dict[str, dict[int, float]]:
    named: dict[str, dict[int, float]] = defaultdict(dict)
    for row in metrics:
        named[row["name"]][row["step"]] = row["value"]
    return dict(named)


def _readouts(named: Mapping[str, Mapping[int, float]]) -> tuple[Readout, ...]:
    parts = [named.get(f"readout/{name}", {}) for name in ("accuracy", "standard_error", "mean_tokens")]
    return tuple(Readout(step, *(part[step] for part in parts)) for step in sorted(parts[0]))
