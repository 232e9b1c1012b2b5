"""All that a report shows, as plain data: no files, no models, no knowledge of how it came about.

A report is a comparison of all systems and a chapter a method, of sections of blocks (see `blocks`). What is empty is
left out of the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.stages.report.blocks import Block, Pairs


@dataclass(frozen=True)
class Section:
    """A part of the page under a title; `short` is its name among the links, the title if empty."""

    title: str
    blocks: tuple[Block, ...]
    short: str = ""


@dataclass(frozen=True)
class Chapter:
    """What a method has to say, made by its `report` module.

    `main` is the label of the system that the method ends with, and `shown` are those of its systems that the
    comparison shows, `main` included; `listed` are further ones for the summary in the terminal. `lengths` are those
    whose lengths are drawn. `headline` says what the method achieved, in sentences with their figures, `about` which
    variants there are.
    """

    main: str
    shown: frozenset[str]
    headline: tuple[str, ...]
    sections: tuple[Section, ...]
    about: str = ""
    warnings: tuple[str, ...] = ()
    lengths: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Method:
    """A method of the experiment: its name, its title, and its chapter."""

    name: str
    title: str
    chapter: Chapter


@dataclass(frozen=True)
class Lengths:
    """The token counts of one system's answers, for the histograms."""

    system: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class CostRow:
    """What a rule cost. `generated` and `prompt` are tokens, None for a rule that generates nothing."""

    rule: str
    seconds: float
    generations: int | None = None
    generated: int | None = None
    prompt: int | None = None


@dataclass(frozen=True)
class Report:
    """One report.

    `systems` are those to be shown, `reference` is the label of the one that the others are compared with, and
    `by_own_base` are the same, each compared with its own method's base (empty: no other than `systems`). `headline`
    opens the page; `verdicts` and `decoding_verdicts` are further sentences computed from the results. `differences`
    are rows of system, reference, dataset, decoding, metric (`accuracy`: a difference, `tokens`: a ratio), value,
    ci_low and ci_high. `sections` belong to no method.
    """

    title: str
    subtitle: str
    headline: tuple[str, ...]
    systems: tuple[SystemRow, ...]
    reference: str
    methods: tuple[Method, ...]
    by_own_base: tuple[SystemRow, ...] = ()
    verdicts: tuple[str, ...] = ()
    decoding_verdicts: tuple[str, ...] = ()
    differences: tuple[Row, ...] = ()
    lengths: tuple[Lengths, ...] = ()
    sections: tuple[Section, ...] = ()
    cost: tuple[CostRow, ...] = ()
    provenance: Pairs = ()
