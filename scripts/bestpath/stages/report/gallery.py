"""Which figures a report has, and what is said below each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from bestpath.stages.report import figures
from bestpath.stages.report.data import Chart, Line, ReportData, Specialist, TrainingRun
from bestpath.stages.report.style import inline, png_of, styled, svg_of
from bestpath.stages.report.views import result_tables


@dataclass(frozen=True)
class Picture:
    """A drawn figure: its file name, the section it belongs to, a caption, and its two formats.

    A wide one has the page's whole width.
    """

    name: str
    section: str
    caption: str
    svg: str
    png: bytes
    wide: bool = False

    @property
    def inline(self) -> str:
        """The SVG for use inside a page."""
        return inline(self.svg, self.name)


def gallery(data: ReportData) -> tuple[Picture, ...]:
    """All figures of a report, in its order."""
    return tuple(_pictures(data))


def _pictures(data: ReportData) -> Iterable[Picture]:
    for table in result_tables(data.systems):
        name = _name("pareto", table.dataset, table.decoding)
        caption = (
            f"Accuracy against length on {table.dataset}, {table.decoding}. Bars are 95 % intervals of each system "
            "by itself; differences from the base are surer, since problems are paired: see the table."
        )
        yield _picture(name, "results", caption, figures.pareto([r.row for r in table.rows], data.final))
    if data.lengths:
        caption = "How long the solutions are. The last bin holds everything longer."
        yield _picture("lengths", "results", caption, figures.histograms(data.lengths))
    if data.rewards:
        caption = (
            "Rewards of the completions whose step was kept: medians, middle halves and counts. Above zero the "
            "completion is correct, below it is wrong; the shorter a completion, the farther from zero."
        )
        yield _picture("rewards", "exploration", caption, figures.rewards(data.rewards))
    for specialist in data.specialists:
        for chart in training_charts(specialist):
            yield _picture(chart.name, f"training-{specialist.name}", "", figures.lines(chart))
    for i, extra in enumerate(data.extras):
        for chart in extra.charts:
            yield _picture(_name(chart.name), f"extra-{i}", "", figures.lines(chart))


def training_charts(specialist: Specialist) -> list[Chart]:
    """The losses, the margin, and the dev readouts of a specialist's runs; runs of one rate share a colour."""
    name, base, runs = specialist.name, specialist.base, specialist.runs
    losses = [_curve(run, run.loss) for run in runs] + [_curve(run, run.dev_loss, dashed=True) for run in runs]
    accuracies = [_curve(r, [(p.step, 100 * p.accuracy) for p in r.readouts], marked=r.chosen_step) for r in runs]
    tokens = [_curve(r, [(p.step, p.tokens) for p in r.readouts], marked=r.chosen_step) for r in runs]
    charts = [
        _chart(name, "loss", "loss; dashed: dev", losses),
        _chart(name, "margin", "reward margin, chosen - rejected", [_curve(run, run.margin) for run in runs]),
        _chart(name, "dev accuracy", "accuracy on dev, %", accuracies, 100 * base.accuracy if base else None),
        _chart(name, "dev tokens", "mean tokens on dev", tokens, base.tokens if base else None),
    ]
    return [chart for chart in charts if chart.lines]


def _curve(
    run: TrainingRun, points: Sequence[tuple[int, float]], marked: int | None = None, dashed: bool = False
) -> Line:
    label = f"{run.learning_rate:g}".replace("e-0", "e-")
    return Line(label, tuple(x for x, _ in points), tuple(y for _, y in points), marked=marked, dashed=dashed)


def _chart(name: str, what: str, y_label: str, lines: Sequence[Line], base: float | None = None) -> Chart:
    """A chart over the training steps; lines without points, such as a margin under SFT, are left out."""
    drawn = tuple(line for line in lines if line.x)
    reference = None if base is None else ("base", base)
    return Chart(_name(name, what), f"{name}: {what}", "step", y_label, drawn, reference)


def _picture(name: str, section: str, caption: str, figure: Figure) -> Picture:
    with styled():
        return Picture(name, section, caption, svg_of(figure), png_of(figure), figure.get_figwidth() > figures.COLUMN)


def _name(*parts: str) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
