"""How figures look: one palette, one type, and the same bytes for the same data.

The palette is Okabe and Ito's, which colour-blind readers can tell apart; kinds of systems differ in shape too. In
the page the colours become variables of its style sheet, so that figures follow light and dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1f2328", "#656d76", "#d8dee4", "#ffffff"
BLUE, ORANGE, GREEN, PURPLE, SKY, GOLD = "#0072b2", "#d55e00", "#009e73", "#b5528f", "#56b4e9", "#e69f00"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, GOLD)

KINDS: dict[str, tuple[str, str]] = {
    "base": (INK, "D"),
    "prompt": (MUTED, "s"),
    "specialist": (BLUE, "o"),
    "merged": (ORANGE, "^"),
    "baseline": (PURPLE, "P"),
}
"""Colour and marker of each kind of system."""

MODES = {"long": BLUE, "short": ORANGE, "neutral": GREEN}

_VARIABLES = {
    INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper", BLUE: "--blue", ORANGE: "--orange",
    GREEN: "--green", PURPLE: "--purple", SKY: "--sky", GOLD: "--gold",
}  # fmt: skip

_SETTINGS: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "lines.linewidth": 1.8,
    "text.parse_math": False,  # names may hold dollar signs
    "svg.fonttype": "none",
    "svg.hashsalt": "bestpath",
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save figures in the report's style, whatever the user's own settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def canvas(width: float = 6.2, height: float = 3.9) -> tuple[Figure, Axes]:
    """An empty figure of the given size in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def svg_of(figure: Figure) -> str:
    """The figure as SVG, without date or program version, so that equal figures have equal bytes."""
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(stream, format="svg", metadata=nothing)
    return stream.getvalue()


def png_of(figure: Figure) -> bytes:
    """The figure as PNG, at twice the resolution of a plain screen."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160, metadata={"Software": None})
    return stream.getvalue()


def inline(svg: str, name: str) -> str:
    """An SVG for use inside a page: only the element, its ids its own, its colours and type the page's."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"<svg [^>]*>", _root, svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(r"'DejaVu Sans'(, sans-serif)?", "var(--sans)", svg).strip()


def _root(tag: re.Match[str]) -> str:
    """The root element, as wide as its column but no wider than reads well."""
    box = re.search(r'viewBox="([^"]*)"', tag[0])
    if box is None:
        raise ValueError("an SVG without a view box")
    width = 1.4 * float(box[1].split()[2])
    return f'<svg viewBox="{box[1]}" style="max-width: {width:.0f}px" aria-hidden="true">'
