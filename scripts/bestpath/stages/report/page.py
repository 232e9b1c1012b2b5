"""From a report to a page: the order of its parts, the names of its places, its figures drawn, its tables for files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bestpath.core.systems import SystemRow
from bestpath.stages.report import comparison
from bestpath.stages.report.blocks import (
    AnyTwo,
    Bars,
    Block,
    Bullets,
    Explorer,
    Facts,
    Funnel,
    Heading,
    Plot,
    Table,
    Text,
)
from bestpath.stages.report.cost import cost_table
from bestpath.stages.report.data import Report, Section
from bestpath.stages.report.gallery import Picture, draw, slug
from bestpath.stages.report.style import Marks
from bestpath.stages.report.tables import PlainTable, plain_tables
from bestpath.stages.report.views import Effect, TableView, effects, view

KINDS: dict[type, str] = {
    Heading: "heading",
    Text: "text",
    Bullets: "bullets",
    Facts: "facts",
    Bars: "bars",
    Funnel: "funnel",
    Explorer: "explorer",
    AnyTwo: "any_two",
}
"""What the template calls a block that it takes as it is."""


@dataclass(frozen=True)
class Item:
    """Something to be shown: what the template calls it, and its content. Figures and bars come in groups."""

    kind: str
    content: Any


@dataclass(frozen=True)
class Part:
    """A section in its place."""

    id: str
    title: str
    short: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class MethodPart:
    """A method's chapter in its place."""

    id: str
    title: str
    about: str
    headline: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Tile:
    """A system that a method ends with: its two differences from `row.reference`."""

    row: SystemRow
    delta: Effect
    ratio: Effect


@dataclass(frozen=True)
class Page:
    """All of a page. With one method its parts stand among the others; with several each has a chapter."""

    report: Report
    tiles: tuple[Tile, ...]
    warnings: tuple[str, ...]
    results: tuple[TableView, ...]
    before: tuple[Part, ...]
    chapters: tuple[MethodPart, ...]
    after: tuple[Part, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[PlainTable, ...]

    @property
    def several(self) -> bool:
        """Whether there are several methods."""
        return len(self.chapters) > 1


def compose(report: Report) -> Page:
    """The page of a report."""
    methods = report.methods
    composer = _Composer(Marks(tuple(m.name for m in methods), tuple(m.title for m in methods)))
    several = len(report.methods) > 1
    before = composer.parts(comparison.sections(report))
    chapters = tuple(
        MethodPart(
            slug(method.name),
            method.title,
            method.chapter.about,
            method.chapter.headline if several else (),
            composer.parts(method.chapter.sections, f"{method.name}-" if several else ""),
        )
        for method in report.methods
    )
    after = composer.parts(_after(report))
    return Page(
        report=report,
        tiles=tuple(_tiles(report)),
        warnings=tuple(
            f"{method.title}: {warning}" if several else warning
            for method in report.methods
            for warning in method.chapter.warnings
        ),
        results=tuple(view(table, composer.marks) for table in comparison.result_tables(report)),
        before=before,
        chapters=chapters,
        after=after,
        pictures=tuple(composer.pictures),
        tables=tuple(composer.tables),
    )


def _tiles(report: Report) -> Iterator[Tile]:
    """What the methods end with, under every decoding, or under the first one if there are several methods; each
    against the base under its own plain prompt.
    """
    settings = comparison.settings_of(report.by_own_base or report.systems)
    for method in report.methods:
        for setting in settings[: 1 if len(report.methods) > 1 else None]:
            for row in setting.rows:
                delta = effects([comparison.delta_of(row)], "points")[0]
                ratio = effects([comparison.ratio_of(row)], "ratio")[0]
                if row.system == method.chapter.main and delta and ratio:
                    yield Tile(row, delta, ratio)


def _after(report: Report) -> Iterator[Section]:
    yield from report.sections
    if report.cost:
        yield Section("Cost", (cost_table(report.cost),))
    if report.provenance:
        yield Section("Provenance", (Facts(report.provenance),))


class _Composer:
    """Draws figures and collects tables as it goes through sections."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.pictures: list[Picture] = []
        self.tables: list[PlainTable] = []

    def parts(self, sections: Iterable[Section], prefix: str = "") -> tuple[Part, ...]:
        """Sections in their places; the prefix keeps the names of several methods apart."""
        return tuple(self._part(section, prefix) for section in sections)

    def _part(self, section: Section, prefix: str) -> Part:
        for table in plain_tables(section.blocks):
            self.tables.append(PlainTable(f"{prefix}{table.name}", table.headings, table.rows))
        items = [
            item for kind, blocks in groupby(section.blocks, _kind) for item in self._items(kind, [*blocks], prefix)
        ]
        short = section.short or section.title
        return Part(slug(f"{prefix}{short}"), section.title, short, tuple(items))

    def _items(self, kind: str, blocks: Sequence[Block], prefix: str) -> Iterator[Item]:
        """Neighbours of one kind as items: figures and bars stand side by side."""
        if kind == "figures":
            pictures = [draw(block, self.marks, prefix) for block in blocks if isinstance(block, Plot)]
            self.pictures += pictures
            yield Item(kind, pictures)
        elif kind == "bars":
            yield Item(kind, blocks)
        else:
            for block in blocks:
                if isinstance(block, Table):
                    if block.lines:
                        yield Item("folded" if block.folded else kind, view(block, self.marks))
                else:
                    yield Item(kind, block)


def _kind(block: Block) -> str:
    if isinstance(block, Plot):
        return "figures"
    return "table" if isinstance(block, Table) else KINDS[type(block)]
