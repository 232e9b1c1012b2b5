"""Where models come from: what training writes down beside a model, for an audit of who judged whose words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bestpath.core.tables import Row


@dataclass(frozen=True)
class Lineage:
    """Where a model comes from, as far as it is known.

    `family` and `series` are its makers' names, `base` is the model that its training started from. Models are named as
    an experiment names them: `trained_on` wrote the text of its training rows, `labelled_by` and `selected_by` judged
    it, and `inherits_from` helped to write it. `data set NAME` stands for the references of a data set.
    """

    family: str | None = None
    series: str | None = None
    base: str | None = None
    trained_on: tuple[str, ...] = ()
    labelled_by: tuple[str, ...] = ()
    selected_by: tuple[str, ...] = ()
    inherits_from: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Lineage:
        """A lineage from its record."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
        return cls(**fields)

    def record(self) -> Row:
        """The lineage as a record of JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def after_training(start: Lineage, name: str, rows: Iterable[Row]) -> Lineage:
    """The lineage of what was trained from the model `name` on rows, which say who is behind them.

    A row's `writer`, `labeller`, `selector` and `helper` name one each; a row without them adds nothing.
    """
    rows = list(rows)

    def named(key: str, before: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*before, *(row[key] for row in rows if row.get(key))}))

    return Lineage(
        start.family,
        start.series,
        name,
        named("writer", start.trained_on),
        named("labeller", start.labelled_by),
        named("selector", start.selected_by),
        named("helper", start.inherits_from),
    )


def after_merging(parents: Iterable[Lineage]) -> Lineage:
    """The lineage of a merge: what its parents have in common, and all who are behind any of them."""
    parents = list(parents)

    def common(values: set[str | None]) -> str | None:
        return values.pop() if len(values) == 1 else None

    def united(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted({name for value in values for name in value}))

    return Lineage(
        common({parent.family for parent in parents}),
        common({parent.series for parent in parents}),
        common({parent.base for parent in parents}),
        united(parent.trained_on for parent in parents),
        united(parent.labelled_by for parent in parents),
        united(parent.selected_by for parent in parents),
        united(parent.inherits_from for parent in parents),
    )
