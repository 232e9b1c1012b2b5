"""The report's figures. Each function draws one from plain data and returns it; nothing is saved here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from bestpath.stages.report import labels
from bestpath.stages.report.blocks import Chart, Curve, Histograms, Pareto, Point, Spreads
from bestpath.stages.report.style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    KINDS,
    MUTED,
    PAPER,
    SERIES,
    Marks,
    canvas,
    styled,
    tone_hex,
)

Z = 1.96  # two-sided 95 %
COLUMN = 7.0  # inches; a wider figure needs the page's whole width
LABELLED = 16  # more points than this are named only where it matters


def pareto(plot: Pareto, marks: Marks) -> Figure:
    """Accuracy against tokens, with 95 % intervals on both axes; dotted lines go through the reference.

    Up and to the left of it is better. Of many systems only the reference, the chosen ones and those that no other
    dominates are named. With several methods a legend names their colours and the kinds' shapes.
    """
    several = len(marks.methods) > 1
    with styled():
        figure, axes = canvas(9.4, 6.2) if several else canvas(6.6, 5.0)
        shown, boxes = [], []
        named = _named(plot.points)
        for point in plot.points:
            x, y = point.tokens, 100 * point.accuracy
            dx, dy = Z * point.tokens_se, 100 * Z * point.accuracy_se
            mark, main = marks.of(point.mark), point.reference or point.chosen
            axes.errorbar(x, y, dy, dx, fmt="none", ecolor=mark.hex, elinewidth=1.1, alpha=0.55, zorder=2)
            axes.plot(x, y, mark.marker, color=mark.hex, ms=10 if main else 7.5, mec=PAPER, mew=1, zorder=4)
            boxes += [Bbox.from_extents(x - dx, y, x + dx, y), Bbox.from_extents(x, y - dy, x, y + dy)]
            if point.label in named:
                shown.append(labels.Label(x, y, point.label, mark.hex, "bold" if main else "normal"))
        axes.margins(0.16, 0.1)
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # fixed before anything without data is drawn
        for point in plot.points:
            if point.reference:
                _mark_reference(axes, point.tokens, 100 * point.accuracy)
        axes.set_title(plot.title)
        axes.set_xlabel("mean tokens of a solution")
        axes.set_ylabel("accuracy, %")
        if several:
            _legend(figure, plot.points, marks)
        labels.place(figure, axes, shown, boxes, 10)
        return figure


def _named(points: Sequence[Point]) -> set[str]:
    """The labels to be drawn: all of them, unless there are too many."""
    if len(points) <= LABELLED:
        return {point.label for point in points}
    return {p.label for p in points if p.reference or p.chosen or not any(_dominates(other, p) for other in points)}


def _dominates(one: Point, two: Point) -> bool:
    """Whether one is no less accurate and no longer, and better in one of the two."""
    at = [(point.accuracy, -point.tokens) for point in (one, two)]
    return at[0] != at[1] and all(a >= b for a, b in zip(*at, strict=True))


def _legend(figure: Figure, points: Sequence[Point], marks: Marks) -> None:
    """Which colour is which method, and which shape is which kind."""
    drawn = {point.mark[0] for point in points if point.mark[1] != "base"}
    titles = marks.titles or marks.methods
    methods = [(name, title) for name, title in zip(marks.methods, titles, strict=True) if name in drawn]
    kinds = [kind for kind in KINDS if any(point.mark[1] == kind for point in points)]
    handles = [Line2D([], [], color=tone_hex(name, marks.methods), lw=5, label=title) for name, title in methods]
    handles += [
        Line2D([], [], color=INK if kind == "base" else MUTED, marker=KINDS[kind][0], lw=0, label=kind)
        for kind in kinds
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=9.5)


def _mark_reference(axes: Axes, x: float, y: float) -> None:
    """Cross hairs through the reference, and a shade and a word on which way is better."""
    axes.axvline(x, color=INK, lw=0.9, ls=":", alpha=0.6, zorder=1)
    axes.axhline(y, color=INK, lw=0.9, ls=":", alpha=0.6, zorder=1)
    left, top = axes.get_xlim()[0], axes.get_ylim()[1]
    axes.add_patch(Rectangle((left, y), x - left, top - y, color=GREEN, alpha=0.06, lw=0, zorder=0))
    axes.annotate(
        "better",
        xy=(0.012, 0.985),
        xytext=(0.085, 0.91),
        xycoords="axes fraction",
        size=10.5,
        color=GREEN,
        weight="bold",
        ha="left",
        va="center",
        arrowprops={"arrowstyle": "-|>", "color": GREEN, "lw": 2},
    )


def histograms(block: Histograms, marks: Marks, bins: int = 40) -> Figure:
    """One histogram above another on one axis, medians marked; the last bin holds everything longer."""
    samples = block.samples
    with styled():
        figure, axes = canvas(6.6, 1.1 + 0.85 * len(samples))
        every = sorted(n for sample in samples for n in sample.values)
        low, high = every[0], every[min(len(every) - 1, int(0.995 * len(every)))]
        width = max(1, -(-(high - low + 1) // bins))
        edges = [low + width * i for i in range((high - low) // width + 2)]
        rows = [_heights(sample.values, edges) for sample in samples]
        tallest = max(max(row) for row in rows)
        for i, (sample, heights) in enumerate(zip(samples, rows, strict=True)):
            floor, color = float(len(samples) - 1 - i), marks.of(sample.mark).hex
            tops = [floor + 0.82 * height / tallest for height in heights]
            axes.stairs(tops, edges, baseline=floor, fill=True, color=color, alpha=0.3)
            axes.stairs(tops, edges, baseline=floor, color=color, lw=1.4)
            median = statistics.median(sample.values)
            axes.plot([median, median], [floor, floor + 0.86], color=color, lw=1.6)
            axes.annotate(
                f"median {median:g}", (median, floor + 0.86), xytext=(4, 1), textcoords="offset points",
                size=9.5, color=color, va="center",
            )  # fmt: skip
        axes.set_yticks([len(samples) - 1 - i + 0.3 for i in range(len(samples))], [s.label for s in samples])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-0.03, len(samples) + 0.05)
        axes.set_title(block.title)
        axes.set_xlabel(block.x_label)
        return figure


def _heights(values: Sequence[int], edges: Sequence[int]) -> list[float]:
    """Shares of the values in each bin; what lies beyond the last edge counts in the last bin."""
    counts = [0] * (len(edges) - 1)
    width = edges[1] - edges[0]
    for value in values:
        counts[min((value - edges[0]) // width, len(counts) - 1)] += 1
    return [count / len(values) for count in counts]


def spreads(block: Spreads) -> Figure:
    """Medians, middle halves and counts of groups side by side; positive and negative values have a bar each."""
    with styled():
        figure, axes = canvas(6.6, 4.2)
        groups = list(dict.fromkeys(spread.group for spread in block.spreads))
        for spread in block.spreads:
            x = spread.x + 0.36 * (groups.index(spread.group) - (len(groups) - 1) / 2)
            for positive in (True, False):
                values = [value for value in spread.values if (value > 0) == positive]
                if values:
                    _spread(axes, x, values, tone_hex(spread.group, block.tones), above=positive)
        axes.axhline(0, color=INK, lw=1)
        axes.margins(0.05, 0.12)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        axes.set_xlabel(block.x_label)
        axes.set_ylabel(block.y_label)
        for i, group in enumerate(groups):
            axes.text(
                0.2 * i, 1.02, group, size=11, weight="bold", color=tone_hex(group, block.tones),
                va="bottom", transform=axes.transAxes,
            )  # fmt: skip
        return figure


def _spread(axes: Axes, x: float, values: Sequence[float], color: str, above: bool) -> None:
    low, middle, high = _quartiles(values)
    axes.plot([x, x], [low, high], color=color, lw=10, alpha=0.35, solid_capstyle="butt")
    axes.plot(x, middle, "_", color=color, ms=13, mew=2.6)
    axes.annotate(
        str(len(values)), (x, high if above else low), xytext=(0, 4 if above else -4),
        textcoords="offset points", size=9, color=color, ha="center", va="bottom" if above else "top",
    )  # fmt: skip


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def lines(chart: Chart) -> Figure:
    """A line chart with direct labels at the line ends; intervals as bands; marked points ringed.

    Lines of the same label (a learning rate's seeds) share a colour and a label. More labels than there are colours get
    a panel each.
    """
    names = list(dict.fromkeys(curve.label for curve in chart.curves))
    if len(names) > len(SERIES):
        return _panels(chart, names)
    with styled():
        figure, axes = canvas(6.2, 3.9)
        colors = {name: tone_hex(name, names) for name in names}
        for curve in chart.curves:
            _curve(axes, curve, colors[curve.label])
        last = {name: [curve.y[-1] for curve in chart.curves if curve.label == name] for name in names}
        ends = [(statistics.mean(values), name, colors[name]) for name, values in last.items()]
        if chart.reference:
            label, value = chart.reference
            axes.axhline(value, color=INK, lw=1.1, ls=":")
            ends.append((value, label, INK))
        axes.set_title(chart.title)
        axes.set_xlabel(chart.x_label)
        axes.set_ylabel(chart.y_label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        axes.margins(0.03, 0.12)
        _label_ends(axes, ends)
        return figure


def _panels(chart: Chart, names: Sequence[str], columns: int = 4) -> Figure:
    """A panel a label on common axes, every other line pale behind it."""
    with styled():
        rows = -(-len(names) // columns)
        figure = Figure(figsize=(9.4, 0.7 + 1.75 * rows), layout="constrained")
        grid = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for axes, name in zip(grid, names, strict=False):
            for curve in chart.curves:
                if curve.label != name:
                    axes.plot(curve.x, curve.y, color=GRID, lw=1.1, zorder=1)
            for curve in chart.curves:
                if curve.label == name:
                    _curve(axes, curve, BLUE)
            if chart.reference:
                axes.axhline(chart.reference[1], color=INK, lw=1.1, ls=":")
            axes.set_title(name, fontsize=10.5)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in grid[len(names) :]:
            axes.remove()
        figure.suptitle(chart.title, x=0.01, ha="left", size=12, weight="bold", color=INK)
        figure.supxlabel(chart.x_label, size=11, color=INK)
        figure.supylabel(chart.y_label, size=11, color=INK)
        return figure


def _curve(axes: Axes, curve: Curve, color: str) -> None:
    style, marker = "--" if curve.dashed else "-", "o" if len(curve.x) <= 12 else ""
    axes.plot(curve.x, curve.y, linestyle=style, marker=marker, color=color, ms=5, mec=PAPER)
    if curve.low:
        axes.fill_between(curve.x, curve.low, curve.high, color=color, alpha=0.15, lw=0)
    if curve.marked is not None:
        y = curve.y[curve.x.index(curve.marked)]
        axes.plot(curve.marked, y, "o", ms=13, mfc="none", mec=color, mew=2)
        axes.annotate(
            "chosen", (curve.marked, y), xytext=(0, 11), textcoords="offset points", size=9.5, color=color,
            weight="bold", ha="center", va="bottom",
        )  # fmt: skip


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names to the right of the line ends, pushed apart so that they do not overlap."""
    low, high = axes.get_ylim()
    gap = 0.075 * (high - low)
    placed: list[float] = []
    ordered = sorted(ends)
    for value, _, _ in ordered:
        placed.append(max(value, placed[-1] + gap) if placed else max(value, low))
    excess = placed[-1] - high if placed else 0.0
    for (_, text, color), y in zip(ordered, placed, strict=True):
        axes.annotate(
            text, (1.015, y - max(0.0, excess)), xycoords=("axes fraction", "data"), size=10, color=color,
            va="center", annotation_clip=False,
        )  # fmt: skip
