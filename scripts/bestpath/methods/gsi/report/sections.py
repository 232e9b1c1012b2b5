"""The sections of GSI's chapter: the tail, accuracy, what help brings, the shape of the rows, the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from bestpath.core.tables import Row
from bestpath.methods.gsi.report.story import Story, percent, spoken
from bestpath.methods.gsi.tail import chance_rate
from bestpath.stages.report.blocks import Chart, Column, Curve, Estimate, Table, Text, Value, lines_of
from bestpath.stages.report.data import Section

SHOWN = 8  # disagreements of the verifiers


def tail_section(story: Story) -> Section:
    """Every variant's training sets: how much of the tail is in them, and what that took."""
    hardest = story.hardest
    columns = (
        Column("variant"),
        Column("iteration", form="count"),
        Column("rows", form="count"),
        _share(f"share of level {hardest}"),
        _share(f"coverage of level {hardest}"),
        Column("without an answer", form="count"),
        Column("further draws", form="count"),
        _share("of them right"),
        Column("generated tokens", form="count"),
        _share("guided rows"),
        _share("human text"),
        _share("spurious of plain"),
        _share("spurious of guided"),
    )
    rows: list[tuple[Value, ...]] = []
    for variant in story.variants:
        for t in range(1, story.last[variant] + 1):
            value = lambda metric, group="", v=variant, at=t: story.value(v, at, metric, group)  # noqa: E731
            rows.append(
                (
                    spoken(variant), t, value("rows"), value("row_share", hardest), value("coverage", hardest),
                    value("tail_lost"), value("draws", "guided"), value("success", "guided"),
                    story.sum(variant, t, "generated_tokens", ("plain", "guided")), value("guided_rows"),
                    value("human_share"), value("spurious", "plain"), value("spurious", "guided"),
                )
            )  # fmt: skip
    pool = story.value(story.variants[0], 0, "row_share", hardest)
    text = (
        "The set of iteration t is made of answers of the model before. In the pool, and so among the references that "
        f"iteration 0 is trained on, level {hardest} has {percent(pool)} % of the questions. "
        "Coverage: questions with a right answer. Human text: the part of the rows that is copied from references, as "
        "prefixes or whole. Spurious: right answers whose equations do not hold or do not lead to them."
    )
    charts = (
        _chart(story, "tail-share", f"share of level {hardest} in the training set", "%",
               lambda v, t: story.value(v, t, "row_share", hardest)),
        _chart(story, "tail-coverage", f"coverage of level {hardest}", "%",
               lambda v, t: story.value(v, t, "coverage", hardest)),
    )  # fmt: skip
    table = Table(columns, lines_of(rows), "Training sets of all variants and iterations", "tail")
    return Section("The tail", (Text((text,)), *charts, table), "Tail")


def accuracy_section(story: Story) -> Section:
    """Accuracy over the iterations, and by level at the end."""
    columns = (
        Column("variant"),
        Column("iteration", form="count"),
        *(_share(f"level {level}") for level in story.levels),
        _share("mean"),
    )
    rows = [_accuracy_row(story, story.variants[0], 0, "all")]
    rows += [_accuracy_row(story, v, story.last[v], spoken(v)) for v in story.variants]
    hard = story.levels[-2:]
    charts = (
        _chart(story, "accuracy-curve", "accuracy on the test problems", "%", story.accuracy, story.spread),
        _chart(story, "accuracy-hard", f"accuracy on levels {' and '.join(hard)}", "%",
               lambda v, t: story.accuracy(v, t, hard), lambda v, t: story.spread(v, t, hard)),
        _cost_chart(story),
    )  # fmt: skip
    text = (
        "Greedy answers to problems that were never trained on; ± is one standard error, over seeds where there are "
        "several, else binomial. Bands are 95 % intervals. Tokens: all that was generated for the sets so far."
    )
    table = Table(columns, lines_of(rows), "Accuracy by level after the last iteration", "levels")
    return Section("Accuracy over the iterations", (Text((text,)), *charts, table), "Iterations")


def help_section(story: Story, reasons: Mapping[str, Mapping[str, int]]) -> Section:
    """How often help leads to a right answer, by level, and what became of the draws."""
    every = [(variant, t) for variant in story.variants for t in range(story.last[variant] + 1)]
    groups = sorted({group for variant, t in every for group in story.groups("row_share", variant, t)})
    columns = (
        Column("variant"),
        *(_share(f"level {group}") for group in groups),
        Column("flags"),
        Column("not trained on"),
    )
    first = story.variants[0]
    plain = [story.value(first, 1, "plain_success", group) for group in groups]
    rows: list[tuple[Value, ...]] = [("plain draws of iteration 0", *plain, "", "")]
    for variant in story.variants:
        flags = {
            group: value
            for group in story.groups("flags", variant, 1)
            if (value := story.value(variant, 1, "flags", group))
        }
        shares = [story.value(variant, 1, "guided_success", group) for group in groups]
        rows.append((spoken(variant), *shares, _listed(flags), _listed(reasons.get(variant, {}))))
    text = (
        "The share of right answers among the further draws at iteration 0, by level: only questions that are short of "
        "answers draw further, so these are the hard ones of their level. Flags and reasons are those of the set of "
        "iteration 1."
    )
    return Section("What help brings", (Text((text,)), Table(columns, lines_of(rows), name="help")), "Help")


def shapes_section(story: Story, shown: Sequence[str]) -> Section:
    """How long the training rows are and how the base finds them, against the references."""
    charts = []
    for metric, title, label in (
        ("characters_share", "length of the training rows", "characters"),
        ("perplexity_share", "perplexity of the training rows under the base", "perplexity"),
    ):
        curves = [_histogram(story, "references", story.variants[0], 0, metric)]
        curves += [_histogram(story, v, v, story.last[v], metric) for v in story.variants if v in shown]
        drawn = tuple(curve for curve in curves if curve.x)
        charts.append(Chart(f"shape-{metric.replace('_', '-')}", title, label, "share of the rows, %", drawn))
    text = "The sets of the last iteration of some variants beside the references; bins of ten characters and of 0.1."
    return Section("Length and perplexity", (Text((text,)), *charts), "Shapes")


def audit_section(audit: Sequence[Row], pool: Sequence[Row]) -> Section:
    """Our verifier beside the released one, on the plain draws of iteration 0."""
    counts = Counter((row["verdict"] == "correct", row["released_correct"]) for row in audit)
    differing = [row for row in audit if (row["verdict"] == "correct") != row["released_correct"]]
    text = (
        f"Of {len(audit):,} plain draws of iteration 0 both verifiers accept {counts[True, True]:,} and reject "
        f"{counts[False, False]:,}; only ours accepts {counts[True, False]:,}, only the released one "
        f"{counts[False, True]:,}.",
        "By chance, the answer of one question is that of another in "
        f"{100 * chance_rate(row['answer'] for row in pool):.1f} % of cases: so often a hopeless draw is right.",
    )
    columns = tuple(
        Column(name) for name in ("draw", "gold", "ours reads", "ours says", "released reads", "released says")
    )
    rows = [
        (row["draw_id"], row["gold"], row["answer"] or "", row["verdict"], row["released_answer"],
         "correct" if row["released_correct"] else "wrong")
        for row in differing[:SHOWN]
    ]  # fmt: skip
    return Section(
        "The verifier, audited", (Text(text), Table(columns, lines_of(rows), "Disagreements", "audit")), "Audit"
    )


def _share(name: str) -> Column:
    """A column of shares."""
    return Column(name, f"{name}, %", "percent")


def _accuracy_row(story: Story, variant: str, t: int, name: str) -> tuple[Value, ...]:
    cells: list[Value] = []
    for levels in (*([level] for level in story.levels), story.levels):
        value, error = story.accuracy(variant, t, levels), story.spread(variant, t, levels)
        cells.append(None if value is None else Estimate(value, error))
    return (name, t, *cells)


def _chart(
    story: Story,
    name: str,
    title: str,
    unit: str,
    value: Callable[[str, int], float | None],
    error: Callable[[str, int], float | None] | None = None,
) -> Chart:
    """A curve a variant over the iterations."""
    curves = []
    for variant in story.variants:
        points = [(t, y) for t in range(story.last[variant] + 1) if (y := value(variant, t)) is not None]
        if points:
            xs, ys = zip(*points, strict=True)
            bands = [1.96 * ((error(variant, t) if error else None) or 0.0) for t in xs]
            low = tuple(100 * (y - band) for y, band in zip(ys, bands, strict=True)) if error else ()
            high = tuple(100 * (y + band) for y, band in zip(ys, bands, strict=True)) if error else ()
            curves.append(Curve(spoken(variant), tuple(map(float, xs)), tuple(100 * y for y in ys), low, high))
    return Chart(name, title, "iteration", unit, tuple(curves))


def _cost_chart(story: Story) -> Chart:
    """Accuracy against what was generated for it: the fair comparison."""
    curves = []
    for variant in story.variants:
        points = [
            (story.tokens(variant, t) / 1000, 100 * accuracy)
            for t in range(story.last[variant] + 1)
            if (accuracy := story.accuracy(variant, t)) is not None
        ]
        if points:
            xs, ys = zip(*points, strict=True)
            curves.append(Curve(spoken(variant), tuple(xs), tuple(ys)))
    return Chart(
        "accuracy-cost", "accuracy against its price", "thousand tokens generated", "accuracy, %", tuple(curves)
    )


def _histogram(story: Story, label: str, variant: str, t: int, metric: str) -> Curve:
    groups = story.groups(metric, variant, t)
    ys = tuple(100 * (story.value(variant, t, metric, group) or 0.0) for group in groups)
    return Curve(spoken(label), tuple(float(group) for group in groups), ys)


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{spoken(name)} {n:,.0f}" for name, n in counts.items())
