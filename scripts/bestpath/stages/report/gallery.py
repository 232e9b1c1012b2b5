"""The figures of sections, drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bestpath.stages.report import figures
from bestpath.stages.report.blocks import Histograms, Pareto, Plot, Spreads
from bestpath.stages.report.style import Marks, inline, png_of, styled, svg_of


@dataclass(frozen=True)
class Picture:
    """A drawn figure: its file name, a caption, and its two formats. A wide one has the page's whole width."""

    name: str
    caption: str
    svg: str
    png: bytes
    wide: bool = False

    @property
    def inline(self) -> str:
        """The SVG for use inside a page."""
        return inline(self.svg, self.name)


def draw(block: Plot, marks: Marks, prefix: str = "") -> Picture:
    """A figure as a picture; the prefix keeps the names of several methods' figures apart."""
    if isinstance(block, Pareto):
        drawn = figures.pareto(block, marks)
    elif isinstance(block, Histograms):
        drawn = figures.histograms(block, marks)
    elif isinstance(block, Spreads):
        drawn = figures.spreads(block)
    else:
        drawn = figures.lines(block)
    with styled():
        name = slug(f"{prefix}{block.name}")
        return Picture(name, block.caption, svg_of(drawn), png_of(drawn), drawn.get_figwidth() > figures.COLUMN)


def slug(text: str) -> str:
    """A text as a name of files and of places in the page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
