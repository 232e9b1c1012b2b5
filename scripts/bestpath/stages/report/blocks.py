"""What a section of the report is made of: texts, tables, figures and explored paths, as plain data.

Nothing here knows a file, a method or how a page looks. Figures and tables that have a `name` are written as files of
that name, too; names are unique within a method. `tones` lists names in the order of their colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.stages.report.explorer import ExploredPath

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Text:
    """Paragraphs; a `note` is small print."""

    paragraphs: tuple[str, ...]
    note: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences under a title; a `folded` one shows its title until it is opened."""

    items: tuple[str, ...]
    title: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values, such as settings."""

    pairs: Pairs
    title: str = ""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error, or with its 95 % interval."""

    value: float
    error: float | None = None
    low: float | None = None
    high: float | None = None


Value = str | int | float | Estimate | None

Form = Literal["text", "count", "amount", "percent", "number", "decimal", "significant", "duration", "points", "ratio"]
"""How a column is shown.

`count`: a whole number; `amount`: a number in thousands or millions; `percent`: a share of 1; `number` and `decimal`:
one and two digits; `significant`: three significant ones; `duration`: seconds; `points`: a difference of shares, the
higher the better; `ratio`: of lengths, shown as the change from 1, the lower the better. The last two are estimates
with intervals, drawn beside the number.
"""


@dataclass(frozen=True)
class Column:
    """A column: its name in files, its heading on the page (the name if empty), and its form."""

    name: str
    heading: str = ""
    form: Form = "text"


@dataclass(frozen=True)
class Line:
    """A line of a table: its values, small print under the first, what marks it, and whether it is pointed out.

    `mark` is a method and a kind of system.
    """

    values: tuple[Value, ...]
    note: str = ""
    mark: tuple[str, str] | None = None
    chosen: bool = False


@dataclass(frozen=True)
class Table:
    """A table that can be sorted; `total` is its last line, and `name` that of its files.

    A `folded` one shows its caption until it is opened; `note` is the heading of the lines' notes in files, where they
    are left out without it.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    caption: str = ""
    name: str = ""
    total: tuple[Value, ...] = ()
    folded: bool = False
    note: str = ""


def lines_of(rows: Sequence[tuple[Value, ...]]) -> tuple[Line, ...]:
    """Lines that are nothing but values."""
    return tuple(Line(row) for row in rows)


@dataclass(frozen=True)
class Curve:
    """A line of a chart: a label and points; `low` and `high` are intervals; `marked` is an x to point out.

    A `dashed` one belongs to the solid one of the same label.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    marked: float | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A line chart. `reference` is a horizontal line with its label, for example the base's value."""

    name: str
    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    reference: tuple[str, float] | None = None
    caption: str = ""


@dataclass(frozen=True)
class Sample:
    """The values of one histogram, and what marks it: a method and a kind of system."""

    label: str
    values: tuple[int, ...]
    mark: tuple[str, str]


@dataclass(frozen=True)
class Histograms:
    """Histograms of whole numbers above each other on one axis, medians marked."""

    name: str
    title: str
    x_label: str
    samples: tuple[Sample, ...]
    caption: str = ""


@dataclass(frozen=True)
class Spread:
    """Some values of one group at one place of the x axis."""

    group: str
    x: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class Spreads:
    """Medians and middle halves of groups, positive values and negative ones apart."""

    name: str
    x_label: str
    y_label: str
    spreads: tuple[Spread, ...]
    tones: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class Point:
    """A system in a Pareto plot: its accuracy (a share of 1) and its mean tokens, with standard errors.

    The `reference` is what the others are compared with; a `chosen` system is named in bold.
    """

    label: str
    mark: tuple[str, str]
    accuracy: float
    accuracy_se: float
    tokens: float
    tokens_se: float
    reference: bool = False
    chosen: bool = False


@dataclass(frozen=True)
class Pareto:
    """Accuracy against tokens, with 95 % intervals on both axes."""

    name: str
    title: str
    points: tuple[Point, ...]
    caption: str = ""


@dataclass(frozen=True)
class Bars:
    """Counts as bars. A label of several names is shown as a row of them in their tones; `rest` is what is left out."""

    title: str
    items: tuple[tuple[str | tuple[str, ...], int], ...]
    tones: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True)
class Reject:
    """Why some were left out: a code, how many, and what the code means."""

    reason: str
    n: int
    meaning: str


@dataclass(frozen=True)
class Step:
    """One step of a funnel: what went in, what came out, what was rejected and why.

    `unit` is what is counted, for example `problems`. A step that turns one unit into another has `n_in` None.
    """

    label: str
    unit: str
    n_in: int | None
    n_out: int
    rejects: tuple[Reject, ...] = ()
    note: str = ""

    @property
    def lost(self) -> int:
        """Rows that neither came out nor were rejected with a reason; 0 unless something is wrong."""
        return 0 if self.n_in is None else self.n_in - self.n_out - sum(reject.n for reject in self.rejects)


@dataclass(frozen=True)
class Funnel:
    """What became of everything, step by step."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Explorer:
    """Explored problems to look through. `filters` are tags and what they mean; `badge` marks what was kept."""

    paths: tuple[ExploredPath, ...]
    filters: Pairs
    tones: tuple[str, ...] = ()
    badge: str = "kept"


@dataclass(frozen=True)
class Comparisons:
    """Every pair of systems under one decoding of one data set.

    `accuracy` and `tokens` hold, for every pair of systems in the order (0, 1), (0, 2), ..., (1, 2), ..., the first's
    difference in accuracy from the second, and the ratio of its mean length to the second's.
    """

    title: str
    systems: tuple[str, ...]
    accuracy: tuple[Estimate | None, ...]
    tokens: tuple[Estimate | None, ...]


@dataclass(frozen=True)
class AnyTwo:
    """A choice of a system, `start` at first, and how all others compare with it."""

    settings: tuple[Comparisons, ...]
    start: str = ""


Plot = Chart | Histograms | Spreads | Pareto
Block = Heading | Text | Bullets | Facts | Table | Plot | Bars | Funnel | Explorer | AnyTwo
