"""How figures look: one palette, one type, and the same bytes for the same data. All colours of a report stand here.

The colours of series are Okabe and Ito's, which colour-blind readers can tell apart; what colours tell apart differs in
shape, in place or in name, too. In the page the colours are variables of its style sheet, so that figures follow light
and dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "ink": ("#1f2328", "#1f2328", "#e6e9ee"),
    "muted": ("#656d76", "#59636e", "#9aa4b2"),
    "grid": ("#d8dee4", "#d8dee4", "#323843"),
    "paper": ("#ffffff", "#ffffff", "#14171c"),
    "raised": ("#f6f8fa", "#f6f8fa", "#1c2027"),
    "blue": ("#0072b2", "#0072b2", "#5eb3e8"),
    "orange": ("#d55e00", "#c45500", "#f19a54"),
    "green": ("#009e73", "#00795a", "#45c79d"),
    "purple": ("#b5528f", "#a2437c", "#d98cb8"),
    "sky": ("#56b4e9", "#2f8fc4", "#a8d8fa"),
    "olive": ("#b59f00", "#757200", "#d8d84a"),
    "bad": ("#b42318", "#b42318", "#ff8a80"),
    "kept": ("#fff0c8", "#fff0c8", "#3b3216"),
}
"""Every colour by name: in figures' files, in a light page, in a dark page."""

INK, MUTED, GRID, PAPER = (COLOURS[name][0] for name in ("ink", "muted", "grid", "paper"))
BLUE, GREEN = COLOURS["blue"][0], COLOURS["green"][0]
SERIES = ("blue", "orange", "green", "purple", "sky", "olive")
"""What tells series apart: methods, curves, names that have tones."""

KINDS = {
    "base": ("D", "\N{BLACK DIAMOND}", "ink"),
    "prompt": ("s", "\N{BLACK SQUARE}", "muted"),
    "specialist": ("o", "\N{BLACK CIRCLE}", "blue"),
    "merged": ("^", "\N{BLACK UP-POINTING TRIANGLE}", "orange"),
    "baseline": ("P", "\N{HEAVY GREEK CROSS}", "purple"),
    "derived": ("X", "\N{HEAVY MULTIPLICATION X}", "olive"),
}
"""Each kind of system: its marker in figures, the same as a character, and its colour where there is one method."""


@dataclass(frozen=True)
class Mark:
    """What marks a system: the name of its colour, and its shape as a marker and as a character."""

    colour: str
    marker: str
    character: str

    @property
    def hex(self) -> str:
        """The colour in figures."""
        return COLOURS[self.colour][0]


@dataclass(frozen=True)
class Marks:
    """What marks the systems of a report: a shape a kind, and a colour a kind, or a method if there are several.

    `titles` are what legends call the methods, their names if there are none.
    """

    methods: tuple[str, ...]
    titles: tuple[str, ...] = ()

    def of(self, mark: tuple[str, str]) -> Mark:
        """The mark of a method and a kind."""
        method, kind = mark
        marker, character, colour = KINDS.get(kind, KINDS["baseline"])
        if len(self.methods) > 1 and kind != "base":
            colour = tone(method, self.methods)
        return Mark(colour, marker, character)


def tone(name: str, names: Sequence[str]) -> str:
    """The name of the colour of one of some names; one that is not among them is muted."""
    return SERIES[names.index(name) % len(SERIES)] if name in names else "muted"


def tone_hex(name: str, names: Sequence[str]) -> str:
    """The same colour, in figures."""
    return COLOURS[tone(name, names)][0]


def variables() -> str:
    """The colours as variables of a style sheet, for light and dark."""
    light, dark = ("".join(f"--{name}:{value[i]};" for name, value in COLOURS.items()) for i in (1, 2))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


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
    for colour, (drawn, _, _) in COLOURS.items():
        svg = svg.replace(drawn, f"var(--{colour})")
    return re.sub(r"'DejaVu Sans'(, sans-serif)?", "var(--sans)", svg).strip()


def _root(tag: re.Match[str]) -> str:
    """The root element, as wide as its column but no wider than reads well."""
    box = re.search(r'viewBox="([^"]*)"', tag[0])
    if box is None:
        raise ValueError("an SVG without a view box")
    width = 1.4 * float(box[1].split()[2])
    return f'<svg viewBox="{box[1]}" style="max-width: {width:.0f}px" aria-hidden="true">'
