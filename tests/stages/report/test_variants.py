from __future__ import annotations

import pytest

from bestpath.stages.report.variants import HEADINGS, Variant, differences, variants_of


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


def test_a_variant_has_its_funnel_and_the_numbers_of_the_system_it_ends_with(data):
    first = data.systems[0]
    final = next(row for row in data.systems if row.system == data.final)
    counts = [
        count("problems", "problem", "in", 50),
        count("trials", "trial", "in", 1200),
        count("optimal", "problem", "kept", 40),
        count("pairs.length", "problem", "kept", 30),
        count("pairs.length", "row", "kept", 31),
        count("pairs.length", "row", "flawed", 2, "wrong_winner"),
    ]
    table = variants_of([Variant("main", {}, counts, data.final)], data.systems).table
    assert table[0] == HEADINGS
    line = dict(zip(*table, strict=True))
    assert (line["variant"], line["completions"], line["solved"]) == ("main", "1,200", "40")
    assert line["training rows"].startswith("31 length pairs; length pairs: 2 rows are flawed")
    assert line["ends with"] == data.final
    assert line["accuracy, %"] == f"{100 * final.accuracy:.1f}"
    assert line["against base, tokens"].startswith("\N{MINUS SIGN}")
    assert first.system == "base"
