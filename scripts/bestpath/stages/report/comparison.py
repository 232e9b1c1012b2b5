"""All systems of an experiment side by side: result tables, plots, sentences, and any two systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.stages.report.blocks import (
    AnyTwo,
    Block,
    Bullets,
    Column,
    Comparisons,
    Estimate,
    Histograms,
    Line,
    Pareto,
    Point,
    Sample,
    Table,
    Text,
    Value,
)
from bestpath.stages.report.data import Report, Section

MOST = 60  # systems that any two are chosen from
SPENT = {
    "sampled_tokens": "Sampled tokens",
    "teacher_tokens": "Teacher's tokens",
    "trained_rows": "Trained rows",
    "trained_tokens": "Trained tokens",
}
"""What a system was made from, as columns."""


@dataclass(frozen=True)
class Setting:
    """The systems of one data set under one decoding."""

    dataset: str
    decoding: str
    rows: tuple[SystemRow, ...]

    @property
    def title(self) -> str:
        """The data set and the decoding."""
        return f"{self.dataset}, {self.decoding}"


def settings_of(systems: Iterable[SystemRow]) -> tuple[Setting, ...]:
    """The systems of each data set and decoding, in the order in which these first appear."""
    groups: dict[tuple[str, str], list[SystemRow]] = {}
    for row in systems:
        groups.setdefault((row.dataset, row.decoding), []).append(row)
    return tuple(Setting(*key, tuple(rows)) for key, rows in groups.items())


def sections(report: Report) -> Iterator[Section]:
    """The comparison page without its answer: plots, sentences, pairs."""
    yield Section("Accuracy and length", tuple(_figures(report)), "Figures")
    said: list[Block] = []
    if report.decoding_verdicts:
        said.append(Bullets(report.decoding_verdicts, "What does sampling cost?"))
    if report.verdicts:
        said.append(Bullets(report.verdicts, "Every system in a sentence", folded=True))
    if said:
        yield Section("What the numbers say", tuple(said), "In words")
    if report.differences:
        yield Section("Any two systems", tuple(any_two(report.differences, report.methods[0].chapter.main)), "Any two")


def result_tables(report: Report) -> tuple[Table, ...]:
    """A table for each data set and decoding."""
    titles = {method.name: method.title for method in report.methods}
    main = {method.chapter.main for method in report.methods}
    spent = [name for name in SPENT if any(getattr(row, name) for row in report.systems)]
    return tuple(_table(setting, report.reference, main, titles, spent) for setting in settings_of(report.systems))


def _table(setting: Setting, reference: str, main: set[str], titles: dict[str, str], spent: Sequence[str]) -> Table:
    sizes, limits = ({form(row) for row in setting.rows} for form in (size, lambda row: row.max_tokens))
    several = len(titles) > 1
    columns = [
        Column("system", "System"),
        *([Column("method", "Method")] if several else []),
        Column("accuracy", "Accuracy, %", "percent"),
        Column("delta", f"Against {reference}, points", "points"),
        Column("tokens", "Tokens", "number"),
        Column("token ratio", f"Against {reference}, tokens", "ratio"),
        Column("truncation", "Cut off, %", "percent"),
        Column("no answer", "No answer, %", "percent"),
        *([Column("n")] if len(sizes) > 1 else []),
        *([Column("max tokens", "Token limit", "count")] if len(limits) > 1 else []),
        *(Column(name.replace("_", " "), SPENT[name], "amount") for name in spent),
    ]  # fmt: skip
    lines = [
        Line(
            (
                row.system,
                *([titles.get(row.method, "")] if several else []),
                accuracy_of(row),
                delta_of(row),
                row.tokens,
                ratio_of(row),
                row.truncation,
                row.no_answer,
                *([size(row)] if len(sizes) > 1 else []),
                *([row.max_tokens] if len(limits) > 1 else []),
                *(getattr(row, name) for name in spent),
            ),
            _note(row),
            (row.method, row.kind),
            row.system in main,
        )
        for row in setting.rows
    ]
    said = [setting.title]
    if len(sizes) == 1:
        said.append(f"{next(iter(sizes))} problems")
    if len(limits) == 1:
        said.append(f"at most {next(iter(limits)):,} tokens".replace(",", "\N{NARROW NO-BREAK SPACE}"))
    return Table(tuple(columns), tuple(lines), ", ".join(said))


def accuracy_of(row: SystemRow) -> Value:
    """The accuracy with its standard error."""
    return None if row.accuracy is None else Estimate(row.accuracy, error=row.accuracy_se)


def delta_of(row: SystemRow) -> Value:
    """The difference in accuracy from the reference."""
    return None if row.delta is None else Estimate(row.delta, low=row.delta_low, high=row.delta_high)


def ratio_of(row: SystemRow) -> Value:
    """The ratio of the mean length to the reference's."""
    return None if row.token_ratio is None else Estimate(row.token_ratio, low=row.ratio_low, high=row.ratio_high)


def size(row: SystemRow) -> str:
    """How many problems, and how many samples of each if there are several."""
    each = row.samples / row.problems / row.seeds
    return f"{row.problems}" if each == 1 else f"{row.problems} × {each:g}"  # noqa: RUF001


def _note(row: SystemRow) -> str:
    """What does not fit the columns."""
    parts = []
    if row.seeds > 1:
        spread = "" if row.accuracy_seed_sd is None else f", accuracy SD {100 * row.accuracy_seed_sd:.1f}"
        parts.append(f"{row.seeds} seeds{spread}")
    if row.undecided:
        parts.append(f"{100 * row.undecided:.1f} % undecided")
    if row.errors:
        parts.append(f"{100 * row.errors:.1f} % failed in the engine")
    return "; ".join(parts)


def _figures(report: Report) -> Iterator[Block]:
    for setting in settings_of(report.systems):
        if points := _points(report, setting):
            caption = (
                f"Accuracy against length on {setting.title}. Bars are 95 % intervals of each system by itself; "
                f"differences from {report.reference} are surer, since problems are paired: see the table."
            )
            yield Pareto(f"pareto-{setting.dataset}-{setting.decoding}", setting.title, points, caption)
    marks = {row.system: (row.method, row.kind) for row in report.systems}
    samples = [Sample(lengths.system, lengths.tokens, marks[lengths.system]) for lengths in report.lengths]
    if samples:
        caption = "How long the solutions are. The last bin holds everything longer."
        yield Histograms("lengths", "solution lengths", "tokens of a solution", tuple(samples), caption)


def _points(report: Report, setting: Setting) -> tuple[Point, ...]:
    """What has both an accuracy and a length."""
    main = {method.chapter.main for method in report.methods}
    return tuple(
        Point(
            row.system,
            (row.method, row.kind),
            row.accuracy,
            row.accuracy_se or 0.0,
            row.tokens,
            row.tokens_se or 0.0,
            row.system == report.reference,
            row.system in main,
        )
        for row in setting.rows
        if row.accuracy is not None and row.tokens is not None
    )


def any_two(differences: Sequence[Row], start: str, most: int = MOST) -> Iterator[Block]:
    """Every pair of at most so many systems, for each data set and decoding, with one of them chosen at first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in differences:
        groups.setdefault((row["dataset"], row["decoding"]), []).append(row)
    yield Text(
        (
            "Choose a system, and see how every other one compares with it on the same problems. Intervals are those "
            "of the same bootstrap as above; with many pairs, some exclude zero by chance.",
        )
    )
    comparisons = [_comparisons(", ".join(where), rows, most) for where, rows in groups.items()]
    yield AnyTwo(tuple(comparisons), start)
    left_out = max(len(_systems(rows)) for rows in groups.values()) - most
    if left_out > 0:
        yield Text((f"{left_out} more systems are in tables/differences.parquet of the experiment.",), note=True)


def _systems(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in (row["reference"], row["system"])))


def _comparisons(title: str, rows: Sequence[Row], most: int) -> Comparisons:
    systems = _systems(rows)[:most]
    known = {(row["metric"], row["system"], row["reference"]): row for row in rows}
    pairs = [(one, two) for i, one in enumerate(systems) for two in systems[i + 1 :]]
    accuracy = tuple(_either(known, "accuracy", *pair) for pair in pairs)
    return Comparisons(title, tuple(systems), accuracy, tuple(_either(known, "tokens", *pair) for pair in pairs))


def _either(known: dict[tuple[str, str, str], Row], metric: str, one: str, two: str) -> Estimate | None:
    """How one system compares with another; a pair that was compared the other way round is turned."""
    if row := known.get((metric, one, two)):
        return Estimate(row["value"], low=row["ci_low"], high=row["ci_high"])
    if row := known.get((metric, two, one)):
        estimate = Estimate(row["value"], low=row["ci_low"], high=row["ci_high"])
        return negated(estimate) if metric == "accuracy" else inverted(estimate)
    return None


def negated(estimate: Estimate) -> Estimate:
    """The difference the other way round."""
    low, high = (None if x is None else -x for x in (estimate.high, estimate.low))
    return Estimate(-estimate.value, low=low, high=high)


def inverted(estimate: Estimate) -> Estimate | None:
    """The ratio the other way round; none if there is no length to divide by."""
    if not estimate.value:
        return None
    low, high = (1 / x if x else None for x in (estimate.high, estimate.low))
    return Estimate(1 / estimate.value, low=low, high=high)
