"""What training did, for any method that trains: its curves, what was chosen, its warnings. Pure, on plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bestpath.core.tables import Row
from bestpath.stages.report.blocks import (
    Block,
    Chart,
    Column,
    Curve,
    Estimate,
    Facts,
    Heading,
    Line,
    Pairs,
    Table,
    Text,
    lines_of,
)
from bestpath.stages.report.data import Section
from bestpath.stages.report.words import CHOICE, TRAINING_WARNINGS


@dataclass(frozen=True)
class Trained:
    """The metrics of one training run, rows of step, name and value, and what the run was."""

    model: str
    learning_rate: float
    seed: int
    metrics: Sequence[Row]


@dataclass(frozen=True)
class Readout:
    """Accuracy and mean tokens on the dev split after a training step."""

    step: int
    accuracy: float
    accuracy_se: float
    tokens: float


@dataclass(frozen=True)
class TrainingRun:
    """One training run; losses and margins are (step, value), `chosen_step` is the checkpoint taken, if any."""

    learning_rate: float
    seed: int
    loss: tuple[tuple[int, float], ...]
    dev_loss: tuple[tuple[int, float], ...]
    margin: tuple[tuple[int, float], ...]
    readouts: tuple[Readout, ...]
    chosen_step: int | None = None


@dataclass(frozen=True)
class Training:
    """A trained model: its runs, the base's reading on the same dev split, and why its checkpoint was chosen.

    `facts` are those of its training set, such as its size.
    """

    model: str
    runs: tuple[TrainingRun, ...]
    base: Readout | None
    choice: str
    facts: Pairs = ()


def training_of(model: str, runs: Iterable[Trained], choice: Row, rows: Sequence[Row]) -> Training:
    """What the report shows of a model.

    `runs` are its training runs, `choice` what the dev split chose among them (`learning_rate`, `criterion`), `rows`
    its training set.
    """
    own = tuple(training_run(run, run.learning_rate == choice["learning_rate"]) for run in runs)
    base = next((readout for readout in own[0].readouts if readout.step == 0), None)
    return Training(model, own, base, CHOICE[choice["criterion"]], facts_of(rows))


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
    """The warnings of training runs, in sentences that begin with the model and its learning rate."""
    return [
        f"{run.model}, {run.learning_rate:g}: {TRAINING_WARNINGS.get(name, name.replace('_', ' '))}."
        for run in runs
        for name in (row["name"].removeprefix("warning/") for row in run.metrics if row["name"].startswith("warning/"))
    ]


def training_section(trainings: Sequence[Training]) -> Section:
    """The curves of every model, what was chosen of it and why, and all readings on the dev split."""
    blocks = [block for training in trainings for block in _blocks(training)]
    return Section("Training", (*blocks, readings_table(trainings)))


def _blocks(training: Training) -> Iterator[Block]:
    yield Heading(training.model)
    yield Text((f"Colours are learning rates. The checkpoint taken: {training.choice}.",))
    yield Facts(training.facts)
    yield from charts_of(training)


def charts_of(training: Training) -> list[Chart]:
    """The losses, the margin, and the dev readouts of a model's runs; runs of one rate share a colour."""
    name, base, runs = training.model, training.base, training.runs
    losses = [_curve(run, run.loss) for run in runs] + [_curve(run, run.dev_loss, dashed=True) for run in runs]
    accuracies = [_curve(r, [(p.step, 100 * p.accuracy) for p in r.readouts], marked=r.chosen_step) for r in runs]
    tokens = [_curve(r, [(p.step, p.tokens) for p in r.readouts], marked=r.chosen_step) for r in runs]
    charts = [
        _chart(name, "loss", "loss; dashed: dev", losses),
        _chart(name, "margin", "reward margin, chosen - rejected", [_curve(run, run.margin) for run in runs]),
        _chart(name, "dev accuracy", "accuracy on dev, %", accuracies, 100 * base.accuracy if base else None),
        _chart(name, "dev tokens", "mean tokens on dev", tokens, base.tokens if base else None),
    ]
    return [chart for chart in charts if chart.curves]


def _curve(
    run: TrainingRun, points: Sequence[tuple[int, float]], marked: int | None = None, dashed: bool = False
) -> Curve:
    label = f"{run.learning_rate:g}".replace("e-0", "e-")
    return Curve(label, tuple(x for x, _ in points), tuple(y for _, y in points), marked=marked, dashed=dashed)


def _chart(name: str, what: str, y_label: str, curves: Sequence[Curve], base: float | None = None) -> Chart:
    """A chart over the training steps; curves without points, such as a margin under SFT, are left out."""
    drawn = tuple(curve for curve in curves if curve.x)
    reference = None if base is None else ("base", base)
    return Chart(f"{name}-{what}", f"{name}: {what}", "step", y_label, drawn, reference)


def readings_table(trainings: Sequence[Training]) -> Table:
    """Every reading on the dev split, those of the chosen checkpoints pointed out."""
    columns = (
        Column("specialist", "Model"),
        Column("learning rate", "Learning rate", "significant"),
        Column("seed", "Seed", "count"),
        Column("step", "Step", "count"),
        Column("dev accuracy", "Dev accuracy, %", "percent"),
        Column("dev tokens", "Dev tokens", "number"),
    )
    lines = tuple(
        Line(
            (
                training.model,
                run.learning_rate,
                run.seed,
                readout.step,
                Estimate(readout.accuracy, readout.accuracy_se),
                readout.tokens,
            ),
            chosen=readout.step == run.chosen_step,
        )
        for training in trainings
        for run in training.runs
        for readout in run.readouts
    )
    return Table(columns, lines, "All readings on the dev split", "training", folded=True)


def pretraining_section(metrics: Sequence[Row]) -> Section:
    """How the embedded base was pretrained: its loss, and what it does on documents that it has not seen."""
    loss = [(float(row["step"]), row["value"]) for row in metrics if row["name"] == "train/loss"]
    steps, values = zip(*loss, strict=True)
    held_out = {row["name"]: row["value"] for row in metrics if row["name"].startswith("held-out/")}
    lessons = sorted({name.rsplit("/", 1)[0] for name in held_out})
    columns = (
        Column("lesson", "Lesson"),
        Column("loss", "Loss", "decimal"),
        Column("token accuracy", "Tokens predicted right, %", "percent"),
    )
    rows = [
        (lesson.removeprefix("held-out/"), held_out[f"{lesson}/loss"], held_out[f"{lesson}/token_accuracy"])
        for lesson in lessons
    ]
    text = "The base was pretrained by the workflow on the embedded language; the table is on unseen documents."
    chart = Chart("pretraining-loss", "pretraining", "step", "loss", (Curve("loss", tuple(steps), tuple(values)),))
    return Section(
        "Pretraining", (Text((text,)), chart, Table(columns, lines_of(rows), "Unseen documents", "pretraining"))
    )


def _by_name(metrics: Iterable[Row]) -> dict[str, dict[int, float]]:
    named: dict[str, dict[int, float]] = defaultdict(dict)
    for row in metrics:
        named[row["name"]][row["step"]] = row["value"]
    return dict(named)


def _readouts(named: Mapping[str, Mapping[int, float]]) -> tuple[Readout, ...]:
    parts = [named.get(f"readout/{name}", {}) for name in ("accuracy", "standard_error", "mean_tokens")]
    return tuple(Readout(step, *(part[step] for part in parts)) for step in sorted(parts[0]))
