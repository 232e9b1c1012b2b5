from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.methods.recut.report.variants import Variant, differences, variants_section
from bestpath.stages.report.blocks import Estimate
from bestpath.stages.report.tables import plain_tables
from tests.stages.report.example import system


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({}, "nothing"),
        ({"explore": {"rounds": 1, "modes": ["long", "short"]}}, "explore.rounds 1, explore.modes long, short"),
        ({"specialists": "sft", "explore": {"strategy": "whole"}}, "specialists sft, explore.strategy whole"),
        ({"pairs": {"length": {"rejected": "random"}}}, "pairs.length.rejected random"),
        ({"merge": {"methods": {"sce": {"method": "sce"}, "slerp": {}}}}, "merge.methods: sce, slerp"),
    ],
)
def test_what_differs_is_said_in_a_line(overlay, said):
    assert differences(overlay) == said


def count(stage, unit, outcome, n, reason=""):
    return {"stage": stage, "unit": unit, "outcome": outcome, "reason": reason, "n": n}


def test_a_variant_has_its_funnel_and_the_numbers_of_the_system_it_ends_with():
    systems = [system("base", "base", "recut"), system("merged: mean", "merged", "recut", accuracy=0.9, tokens=38)]
    later = [replace(row, decoding="sampled", accuracy=0.1) for row in systems]
    counts = [
        count("problems", "problem", "in", 50),
        count("trials", "trial", "in", 1200),
        count("optimal", "problem", "kept", 40),
        count("pairs.length", "problem", "kept", 30),
        count("pairs.length", "row", "kept", 31),
        count("pairs.length", "row", "flawed", 2, "wrong_winner"),
    ]
    variant = Variant("main", {"explore": {"rounds": 1}}, counts, "merged: mean")
    _, table = variants_section([variant], [*systems, *later], "base").blocks
    (line,) = table.lines
    found = {column.name: value for column, value in zip(table.columns, line.values, strict=True)}
    assert (found["variant"], line.note, found["ends with"]) == ("main", "explore.rounds 1", "merged: mean")
    assert (found["completions"], found["solved"]) == (1200, 40)
    assert found["training rows"] == "31 length pairs; length pairs: 2 rows are flawed, wrong winner"
    assert (found["accuracy"], found["tokens"]) == (Estimate(0.9, 0.02), 38)
    assert found["token ratio"].value == pytest.approx(0.5)
    (written,) = plain_tables([table])
    assert written.name == "variants" and written.headings[:2] == ("variant", "differs")
