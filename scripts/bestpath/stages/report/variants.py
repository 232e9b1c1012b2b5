"""The ablations side by side: what each variant changes, what it trains on, and how the system it ends with does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bestpath.records import Row
from bestpath.stages.report.data import Extra, FunnelStep, SystemRow
from bestpath.stages.report.sources import flaws_of, funnel_of
from bestpath.stages.report.views import effects_of

HEADINGS = (
    "variant",
    "what differs",
    "completions",
    "solved",
    "training rows",
    "ends with",
    "accuracy, %",
    "against base, points",
    "tokens",
    "against base, tokens",
)


@dataclass(frozen=True)
class Variant:
    """One variant: its name, what its settings change, the counts of its funnel, and the system it ends with."""

    name: str
    overlay: Mapping[str, Any]
    counts: Sequence[Row]
    final: str


def variants_of(variants: Iterable[Variant], systems: Sequence[SystemRow]) -> Extra:
    """A table with a line a variant. Its numbers are of the first data set and decoding of `systems`."""
    first = systems[0]
    here = [row for row in systems if (row.dataset, row.decoding) == (first.dataset, first.decoding)]
    text = (
        f"On {first.dataset}, {first.decoding}. A variant ends with the merge that the dev split chooses, or with its "
        "one model. What is equal in two variants was computed once: their systems may be one and the same.",
    )
    return Extra("Variants", text, table=(HEADINGS, *(_line(variant, here) for variant in variants)))


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


def _line(variant: Variant, systems: Sequence[SystemRow]) -> tuple[str, ...]:
    row = next(row for row in systems if row.system == variant.final)
    steps = {step.label: step for step in funnel_of(variant.counts)}
    delta, ratio = effects_of(row, systems)
    return (
        variant.name,
        differences(variant.overlay),
        f"{steps['completions'].n_out:,}",
        f"{steps['solved'].n_out:,}",
        "; ".join([*_sets(steps.values()), *(flaw.rstrip(".") for flaw in flaws_of(variant.counts))]),
        row.system,
        f"{100 * row.accuracy:.1f}",
        f"{delta.text} {delta.interval}" if delta else "",
        "" if row.tokens is None else f"{row.tokens:.1f}",
        f"{ratio.text} {ratio.interval}" if ratio else "",
    )


def _sets(steps: Iterable[FunnelStep]) -> list[str]:
    return [f"{step.note.removesuffix(' rows')} {step.label}" for step in steps if step.note]
