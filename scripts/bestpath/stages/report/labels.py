"""Labels beside points, placed so that they cover neither points nor each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bestpath.stages.report.style import PAPER

ANGLES = (0, 180, 45, 315, 135, 225, 90, 270, 22, 338, 158, 202)
DISTANCES = (9, 16, 26, 38, 54, 72)  # from the point to the label's edge, in pixels
ROUNDS = 3
LEADER = 20  # a label farther away than this gets a line to its point


@dataclass(frozen=True)
class Label:
    """A text that belongs to a point of the data, with its colour and weight."""

    x: float
    y: float
    text: str
    color: str
    weight: str = "normal"


@dataclass(frozen=True)
class _Spot:
    box: Bbox
    distance: float


def place(figure: Figure, axes: Axes, labels: Sequence[Label], bars: Sequence[Bbox], size: float) -> None:
    """Draw the labels; `bars` are boxes in data units (error bars) that they avoid where they can.

    Each label takes the free spot nearest to its point; a few rounds let earlier labels yield to later ones.
    """
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what is measured now must not move afterwards
    to_pixels = axes.transData
    points = [(float(x), float(y)) for x, y in to_pixels.transform([(p.x, p.y) for p in labels])]
    obstacles = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in points]
    obstacles += [bar.transformed(to_pixels).padded(1.5) for bar in bars]
    spots = []
    for label, (x, y) in zip(labels, points, strict=True):
        text = axes.text(0, 0, label.text, size=size, weight=label.weight)
        extent = text.get_window_extent(renderer)
        text.remove()
        spots.append(_candidates(x, y, extent.width, extent.height))
    chosen: list[_Spot | None] = [None] * len(labels)
    for _ in range(ROUNDS):
        for i, candidates in enumerate(spots):
            others = [spot.box for j, spot in enumerate(chosen) if spot is not None and j != i]
            chosen[i] = min(candidates, key=lambda spot: _cost(spot, others, obstacles, axes.bbox))
    for label, spot in zip(labels, chosen, strict=True):
        if spot is not None:
            _draw(axes, label, spot, size)


def _candidates(x: float, y: float, width: float, height: float) -> list[_Spot]:
    """Boxes around a point, each touching it at one of several distances and angles."""
    spots = []
    for distance in DISTANCES:
        for angle in ANGLES:
            dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            left = x + distance * dx + (dx - 1) * width / 2
            bottom = y + distance * dy + (dy - 1) * height / 2
            spots.append(_Spot(Bbox.from_bounds(left, bottom, width, height), distance))
    return spots


def _cost(spot: _Spot, labels: Sequence[Bbox], obstacles: Sequence[Bbox], frame: Bbox) -> float:
    box = spot.box
    outside = box.width * box.height - _overlap(box, frame)
    hidden = sum(_overlap(box, other) for other in labels)
    covering = sum(_overlap(box, other) for other in obstacles)
    return spot.distance + 2.0 * outside + 2.0 * hidden + 0.6 * covering


def _overlap(one: Bbox, two: Bbox) -> float:
    width = min(one.x1, two.x1) - max(one.x0, two.x0)
    height = min(one.y1, two.y1) - max(one.y0, two.y0)
    return float(width * height) if width > 0 and height > 0 else 0.0


def _draw(axes: Axes, label: Label, spot: _Spot, size: float) -> None:
    """Write the label on a ground of its own, so that it stays readable on a bar, and lead a line to a far point."""
    box, to_data = spot.box, axes.transData.inverted()
    x, y = to_data.transform(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
    if spot.distance > LEADER:
        point = axes.transData.transform((label.x, label.y))
        nearest = min(max(point[0], box.x0), box.x1), min(max(point[1], box.y0), box.y1)
        end_x, end_y = to_data.transform(nearest)
        axes.plot([label.x, end_x], [label.y, end_y], color=label.color, lw=0.8, alpha=0.7, zorder=3)
    axes.text(
        float(x),
        float(y),
        label.text,
        size=size,
        weight=label.weight,
        color=label.color,
        ha="center",
        va="center",
        zorder=6,
        bbox={"facecolor": PAPER, "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
    )
