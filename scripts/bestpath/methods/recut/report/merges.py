"""The merges of ReCUT's two specialists: how each was made, reads on the dev split, and changed the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bestpath.core.tables import Row
from bestpath.stages.report.blocks import Bullets, Column, Line, Table, Text
from bestpath.stages.report.data import Section

PARENTS = ("length", "accuracy")
"""The two merged models, as merge reports name them."""


@dataclass(frozen=True)
class Merge:
    """A merge: how it was made, how it reads on the dev split, and what it did to the weights.

    `cosine` is that of the two deltas, `sign_agreement` the share of their entries that agree in sign,
    `norm_ratio` the norm of the merged delta over that of the deltas' mean, `changed` the share of weights that
    still differ from the base after the final cast.
    """

    name: str
    settings: str
    dev_accuracy: float | None
    dev_tokens: float | None
    cosine: float | None
    sign_agreement: float | None
    norm_ratio: float | None
    changed: float | None
    chosen: bool = False


def merge_of(name: str, settings: Mapping[str, object], total: Mapping[str, float], choice: Row) -> Merge:
    """A merge from the numbers of its merge report for all weights together, by name.

    `choice` is what the dev split chose among the merges, and how each reads there.
    """
    one, two = PARENTS
    dev = choice["merges"][name]
    cosine = total[f"cosine/{one}/{two}"]
    a, b = total[f"norm/{one}"], total[f"norm/{two}"]
    mean = math.sqrt(max(0.0, a * a + b * b + 2 * cosine * a * b)) / 2
    return Merge(
        name=name,
        settings=", ".join(f"{key} {value}" for key, value in settings.items() if value is not None),
        dev_accuracy=dev["accuracy"],
        dev_tokens=dev["mean_tokens"],
        cosine=cosine,
        sign_agreement=total[f"sign_agreement/{one}/{two}"],
        norm_ratio=total["norm/merged"] / mean if mean else None,
        changed=total["changed"],
        chosen=name == choice["chosen"],
    )


def section_of(merges: Sequence[Merge], verdicts: Sequence[str]) -> Section:
    """The merges as a section; `verdicts` say which of them lose to a system that needed no merge."""
    text = (
        "The merge to report is chosen on the dev split. Cosine and sign agreement compare the two specialists' "
        "changes of the weights; norm is that of the merged change over that of the plain mean; changed is the share "
        "of weights that still differ from the base after the final cast."
    )
    lines = tuple(
        Line(
            (
                merge.name, merge.settings, merge.dev_accuracy, merge.dev_tokens, merge.cosine, merge.sign_agreement,
                merge.norm_ratio, merge.changed,
            ),
            "chosen on dev" if merge.chosen else "",
            chosen=merge.chosen,
        )
        for merge in merges
    )  # fmt: skip
    table = Table(COLUMNS, lines, name="merges")
    said = (Bullets(tuple(verdicts), "Does merging pay?"),) if verdicts else ()
    return Section("Merging", (Text((text,)), table, *said))


COLUMNS = (
    Column("merge", "Merge"),
    Column("settings", "Settings"),
    Column("dev accuracy", "Dev accuracy, %", "percent"),
    Column("dev tokens", "Dev tokens", "number"),
    Column("cosine", "Cosine", "decimal"),
    Column("sign agreement", "Sign agreement, %", "percent"),
    Column("norm ratio", "Norm", "decimal"),
    Column("changed", "Changed, %", "percent"),
)
