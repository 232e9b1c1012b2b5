from __future__ import annotations

import pytest

from bestpath.methods.gsi.report.sections import (
    accuracy_section,
    audit_section,
    help_section,
    shapes_section,
    tail_section,
)
from bestpath.methods.gsi.report.story import Story
from bestpath.stages.report.blocks import Chart, Estimate
from tests.methods.gsi.readings import reading, story


def test_the_tail_has_a_line_a_variant_and_iteration() -> None:
    *_, table = tail_section(story()).blocks
    assert [line.values[:2] for line in table.lines] == [("vanilla", 1), ("state reset", 1), ("fill", 1)]
    shares = [column.name for column in table.columns].index("share of level 2")
    assert [line.values[shares] for line in table.lines] == [0.1, 0.3, 0.4]


def test_accuracy_is_told_by_level_and_by_price() -> None:
    *_, cost, table = accuracy_section(story()).blocks
    assert [column.heading for column in table.columns][2:] == ["level 1, %", "level 2, %", "mean, %"]
    assert [line.values[:2] for line in table.lines][:2] == [("all", 0), ("vanilla", 1)]
    assert table.lines[0].values[3] == Estimate(0.3, pytest.approx((0.3 * 0.7 / 100) ** 0.5))
    assert isinstance(cost, Chart) and cost.curves[0].x == (0.0, 0.1)  # thousand tokens


def test_help_tells_flags_and_what_was_not_trained_on() -> None:
    numbers = {("guided_success", "2"): 0.58, ("flags", "loop"): 3.0}
    told = Story([*story().readings("vanilla", 0), reading("fill", 0), reading("fill", 1)])
    told.readings("fill", 1)[0].tail.update(numbers)  # type: ignore[attr-defined]
    _, table = help_section(told, {"fill": {"duplicate": 3}}).blocks
    assert [column.name for column in table.columns] == ["variant", "level 1", "level 2", "flags", "not trained on"]
    assert table.lines[-1].values == ("fill", None, 0.58, "loop 3", "duplicate 3")


def test_shapes_are_drawn_beside_the_references() -> None:
    told = story()
    for variant, t in (("vanilla", 0), ("fill", 1)):
        told.readings(variant, t)[0].tail.update({("characters_share", "10"): 0.25})  # type: ignore[attr-defined]
    _, characters, perplexity = shapes_section(told, ("fill",)).blocks
    assert [(curve.label, curve.x, curve.y) for curve in characters.curves] == [
        ("references", (10.0,), (25.0,)), ("fill", (10.0,), (25.0,)),
    ]  # fmt: skip
    assert perplexity.curves == ()


def test_the_audit_shows_where_the_verifiers_differ() -> None:
    def draw(name: str, verdict: str, released: bool) -> dict[str, object]:
        return {"draw_id": name, "gold": "5", "answer": None, "verdict": verdict, "released_answer": "5",
                "released_correct": released}  # fmt: skip

    audit = [draw("a", "correct", True), draw("b", "wrong", True), draw("c", "wrong", False)]
    text, table = audit_section(audit, [{"answer": "5"}, {"answer": "5"}, {"answer": "6"}]).blocks
    assert "both verifiers accept 1 and reject 1; only ours accepts 0, only the released one 1" in text.paragraphs[0]
    assert "33.3 % of cases" in text.paragraphs[1]
    assert [line.values for line in table.lines] == [("b", "5", "", "wrong", "5", "correct")]
