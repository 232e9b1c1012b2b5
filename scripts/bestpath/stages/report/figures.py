"""The report's figures. Each function draws one from plain data and returns it; nothing is saved here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from bestpath.stages.report import labels
from bestpath.stages.report.data import Chart, Lengths, Line, RewardCell, SystemRow
from bestpath.stages.report.style import BLUE, GREEN, GRID, INK, KINDS, MODES, MUTED, PAPER, SERIES, canvas, styled

Z = 1.96  # two-sided 95 %
COLUMN = 7.0  # inches; a wider figure needs the page's whole width


def pareto(systems: Sequence[SystemRow], final: str) -> Figure:
    """Accuracy against tokens of the systems of one data set and decoding, with 95 % intervals on both axes.

    Dotted lines go through the base; up and to the left of it is better. `final` is named in bold.
    """
    with styled():
        figure, axes = canvas(6.6, 5.0)
        shown, boxes = [], []
        for row in systems:
            if row.tokens is None:
                continue
            x, y = row.tokens, 100 * row.accuracy
            dx, dy = Z * (row.tokens_se or 0.0), 100 * Z * row.accuracy_se
            color, marker = KINDS.get(row.kind, KINDS["baseline"])
            main = row.kind == "base" or row.system == final
            axes.errorbar(x, y, dy, dx, fmt="none", ecolor=color, elinewidth=1.1, alpha=0.55, zorder=2)
            axes.plot(x, y, marker, color=color, ms=10 if main else 7.5, mec=PAPER, mew=1, zorder=4)
            boxes += [Bbox.from_extents(x - dx, y, x + dx, y), Bbox.from_extents(x, y - dy, x, y + dy)]
            shown.append(labels.Label(x, y, row.system, color, "bold" if main else "normal"))
        axes.margins(0.16, 0.1)
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # fixed before anything without data is drawn
        for row in systems:
            if row.kind == "base" and row.tokens is not None:
                _mark_base(axes, row.tokens, 100 * row.accuracy)
        axes.set_title(f"{systems[0].dataset}, {systems[0].decoding}")
        axes.set_xlabel("mean tokens of a solution")
        axes.set_ylabel("accuracy, %")
        labels.place(figure, axes, shown, boxes, 10)
        return figure


def _mark_base(axes: Axes, x: float, y: float) -> None:
    """Cross hairs through the base, and a shade and a word on which way is better."""
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


def histograms(systems: Sequence[Lengths], bins: int = 40) -> Figure:
    """The lengths of the systems' solutions, one histogram above another on one axis, medians marked."""
    with styled():
        figure, axes = canvas(6.6, 1.1 + 0.85 * len(systems))
        every = sorted(n for system in systems for n in system.tokens)
        low, high = every[0], every[min(len(every) - 1, int(0.995 * len(every)))]
        width = max(1, -(-(high - low + 1) // bins))
        edges = [low + width * i for i in range((high - low) // width + 2)]
        rows = [_heights(system.tokens, edges) for system in systems]
        tallest = max(max(row) for row in rows)
        for i, (system, heights) in enumerate(zip(systems, rows, strict=True)):
            floor, color = float(len(systems) - 1 - i), KINDS.get(system.kind, KINDS["baseline"])[0]
            tops = [floor + 0.82 * height / tallest for height in heights]
            axes.stairs(tops, edges, baseline=floor, fill=True, color=color, alpha=0.3)
            axes.stairs(tops, edges, baseline=floor, color=color, lw=1.4)
            median = statistics.median(system.tokens)
            axes.plot([median, median], [floor, floor + 0.86], color=color, lw=1.6)
            axes.annotate(
                f"median {median:g}", (median, floor + 0.86), xytext=(4, 1), textcoords="offset points",
                size=9.5, color=color, va="center",
            )  # fmt: skip
        axes.set_yticks([len(systems) - 1 - i + 0.3 for i in range(len(systems))], [s.system for s in systems])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-0.03, len(systems) + 0.05)
        axes.set_title("solution lengths")
        axes.set_xlabel("tokens of a solution")
        return figure


def _heights(values: Sequence[int], edges: Sequence[int]) -> list[float]:
    """Shares of the values in each bin; what lies beyond the last edge counts in the last bin."""
    counts = [0] * (len(edges) - 1)
    width = edges[1] - edges[0]
    for value in values:
        counts[min((value - edges[0]) // width, len(counts) - 1)] += 1
    return [count / len(values) for count in counts]


def rewards(cells: Sequence[RewardCell]) -> Figure:
    """The rewards of kept completions by round and mode: median, middle half, and how many there are.

    Positive rewards are of correct completions, negative ones of wrong; each has its own bar.
    """
    with styled():
        figure, axes = canvas(6.6, 4.2)
        modes = list(dict.fromkeys(cell.mode for cell in cells))
        for cell in cells:
            x = cell.round + 0.36 * (modes.index(cell.mode) - (len(modes) - 1) / 2)
            for right in (True, False):
                values = [value for value in cell.rewards if (value > 0) == right]
                if values:
                    _reward_bar(axes, x, values, MODES.get(cell.mode, MUTED), above=right)
        axes.axhline(0, color=INK, lw=1)
        axes.margins(0.05, 0.12)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("round")
        axes.set_ylabel("reward of the kept completion")
        for i, mode in enumerate(modes):
            axes.text(
                0.2 * i, 1.02, f"{mode} kept", size=11, weight="bold", color=MODES.get(mode, MUTED),
                va="bottom", transform=axes.transAxes,
            )  # fmt: skip
        return figure


def _reward_bar(axes: Axes, x: float, values: Sequence[float], color: str, above: bool) -> None:
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
    names = list(dict.fromkeys(line.label for line in chart.lines))
    if len(names) > len(SERIES):
        return _panels(chart, names)
    with styled():
        figure, axes = canvas(6.2, 3.9)
        colors = {name: SERIES[i % len(SERIES)] for i, name in enumerate(names)}
        for line in chart.lines:
            _line(axes, line, colors[line.label])
        last = {name: [line.y[-1] for line in chart.lines if line.label == name] for name in names}
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
            for line in chart.lines:
                if line.label != name:
                    axes.plot(line.x, line.y, color=GRID, lw=1.1, zorder=1)
            for line in chart.lines:
                if line.label == name:
                    _line(axes, line, BLUE)
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


def _line(axes: Axes, line: Line, color: str) -> None:
    style, marker = "--" if line.dashed else "-", "o" if len(line.x) <= 12 else ""
    axes.plot(line.x, line.y, linestyle=style, marker=marker, color=color, ms=5, mec=PAPER)
    if line.low:
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.15, lw=0)
    if line.marked is not None:
        y = line.y[line.x.index(line.marked)]
        axes.plot(line.marked, y, "o", ms=13, mfc="none", mec=color, mew=2)
        axes.annotate(
            "chosen", (line.marked, y), xytext=(0, 11), textcoords="offset points", size=9.5, color=color,
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
