"""The ablations side by side: what each variant changes, what it trains on, and how the system it ends with does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.methods.recut.report.funnel import flaws_of, steps_of
from bestpath.stages.report.blocks import Column, Line, Table, Text
from bestpath.stages.report.comparison import accuracy_of, delta_of, ratio_of
from bestpath.stages.report.data import Section


@dataclass(frozen=True)
class Variant:
    """One variant: its name, what its settings change, the counts of its funnel, and the system it ends with."""

    name: str
    overlay: Mapping[str, Any]
    counts: Sequence[Row]
    final: str


def variants_section(variants: Iterable[Variant], systems: Sequence[SystemRow], reference: str) -> Section:
    """A line a variant. Its numbers are of the first data set and decoding of `systems`."""
    first = systems[0]
    here = {row.system: row for row in systems if (row.dataset, row.decoding) == (first.dataset, first.decoding)}
    lines = tuple(_line(variant, here[variant.final]) for variant in variants)
    text = (
        "Each variant changes what is named below it and ends with the merge that the dev split chooses, or with its "
        "one model. What is equal in two variants was computed once: they may end with one and the same system. All "
        "systems of all variants are in tables/results.csv of the experiment."
    )
    columns = (
        Column("variant", "Variant"),
        Column("accuracy", "Accuracy, %", "percent"),
        Column("delta", f"Against {reference}, points", "points"),
        Column("tokens", "Tokens", "number"),
        Column("token ratio", f"Against {reference}, tokens", "ratio"),
        Column("ends with", "Ends with"),
        Column("completions", "Completions", "count"),
        Column("solved", "Solved", "count"),
        Column("training rows", "Training rows"),
    )
    table = Table(columns, lines, f"{first.dataset}, {first.decoding}", "variants", note="differs")
    return Section("Variants", (Text((text,)), table))


def differences(overlay: Mapping[str, Any]) -> str:
    """What a variant's settings change, in one line: `explore.rounds 1, explore.samples_per_mode 4`."""
    return ", ".join(_differences(overlay)) or "nothing"


def _differences(overlay: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterable[str]:
    for key, value in overlay.items():
        here = (*path, key)
        if not isinstance(value, Mapping):
            yield f"{'.'.join(here)} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        elif path and all(isinstance(inner, Mapping) for inner in value.values()):
            yield f"{'.'.join(here)}: {', '.join(value)}"
        else:
            yield from _differences(value, here)


def _line(variant: Variant, system: SystemRow) -> Line:
    steps = {step.label: step for step in steps_of(variant.counts)}
    sets = [f"{step.note.removesuffix(' rows')} {step.label}" for step in steps.values() if step.note]
    training = "; ".join([*sets, *(flaw.rstrip(".") for flaw in flaws_of(variant.counts))])
    values = (
        variant.name, accuracy_of(system), delta_of(system), system.tokens, ratio_of(system), system.system,
        steps["completions"].n_out, steps["solved"].n_out, training,
    )  # fmt: skip
    return Line(values, differences(variant.overlay))
