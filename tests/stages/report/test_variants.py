from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.stages.report.html import render
from bestpath.stages.report.tables import tables
from bestpath.stages.report.variants import Variant, differences, variants_of


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
    counts = [
        count("problems", "problem", "in", 50),
        count("trials", "trial", "in", 1200),
        count("optimal", "problem", "kept", 40),
        count("pairs.length", "problem", "kept", 30),
        count("pairs.length", "row", "kept", 31),
        count("pairs.length", "row", "flawed", 2, "wrong_winner"),
    ]
    (row,) = variants_of([Variant("main", {}, counts, data.final)], data.systems)
    assert (row.name, row.differs, row.completions, row.solved) == ("main", "nothing", 1200, 40)
    assert row.training == "31 length pairs; length pairs: 2 rows are flawed, wrong winner"
    assert (row.system.system, row.system.dataset, row.system.decoding) == (data.final, first.dataset, first.decoding)
    page = render(replace(data, variants=(row,)), [])
    assert 'id="variants"' in page and f"{100 * row.system.accuracy:.1f}" in page
    (table,) = [t for t in tables(replace(data, variants=(row,))) if t.name == "variants"]
    assert table.rows[0][:3] == ("main", "nothing", data.final)
