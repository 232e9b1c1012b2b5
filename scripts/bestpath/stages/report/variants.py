"""The ablations side by side: what each variant changes, what it trains on, and how the system it ends with does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bestpath.core.tables import Row
from bestpath.stages.report.data import SystemRow, VariantRow
from bestpath.stages.report.sources import flaws_of, funnel_of


@dataclass(frozen=True)
class Variant:
    """One variant: its name, what its settings change, the counts of its funnel, and the system it ends with."""

    name: str
    overlay: Mapping[str, Any]
    counts: Sequence[Row]
    final: str


def variants_of(variants: Iterable[Variant], systems: Sequence[SystemRow]) -> tuple[VariantRow, ...]:
    """A row a variant. Its numbers are of the first data set and decoding of `systems`."""
    first = systems[0]
    here = {row.system: row for row in systems if (row.dataset, row.decoding) == (first.dataset, first.decoding)}
    return tuple(_row(variant, here[variant.final]) for variant in variants)


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


def _row(variant: Variant, system: SystemRow) -> VariantRow:
    steps = {step.label: step for step in funnel_of(variant.counts)}
    sets = [f"{step.note.removesuffix(' rows')} {step.label}" for step in steps.values() if step.note]
    return VariantRow(
        name=variant.name,
        differs=differences(variant.overlay),
        completions=steps["completions"].n_out,
        solved=steps["solved"].n_out,
        training="; ".join([*sets, *(flaw.rstrip(".") for flaw in flaws_of(variant.counts))]),
        system=system,
    )
