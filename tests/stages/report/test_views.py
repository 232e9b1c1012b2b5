from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.report.blocks import Column, Estimate, Line, Table
from bestpath.stages.report.style import Marks
from bestpath.stages.report.views import amount, duration, effects, shown, typeset, view


@pytest.mark.parametrize(
    ("value", "low", "high", "points", "ratio"),
    [
        (-0.1, -0.2, -0.05, "bad", "good"),
        (0.1, 0.05, 0.2, "good", "bad"),
        (0.1, -0.05, 0.2, "none", "none"),
        (0.1, None, None, "none", "none"),
    ],
)
def test_an_effect_is_good_or_bad_only_when_its_interval_excludes_zero(value, low, high, points, ratio):
    (difference,) = effects([Estimate(value, low=low, high=high)], "points")
    assert difference.sense == points
    shift = (None if x is None else 1 + x for x in (low, high))
    (change,) = effects([Estimate(1 + value, **dict(zip(("low", "high"), shift, strict=True)))], "ratio")
    assert change.sense == ratio


def test_a_small_change_of_length_is_not_nothing():
    small, large = effects([Estimate(1.003, low=1.001, high=1.006), Estimate(0.5, low=0.4, high=0.6)], "ratio")
    assert (small.text, small.interval) == ("+0.3\N{NO-BREAK SPACE}%", "[0.1, 0.6]")
    assert (large.text, large.interval) == ("−50\N{NO-BREAK SPACE}%", "[−60, −40]")


shares = st.floats(-1, 1)


@given(shares, shares, shares)
def test_positions_stay_within_the_plot_and_in_order(a, b, c):
    low, value, high = sorted((a, b, c))
    (effect,) = effects([Estimate(value, low=low, high=high)], "points")
    assert 0 <= effect.low <= effect.at <= effect.high <= 100
    assert 0 <= effect.zero <= 100


def test_effects_of_a_column_share_its_scale():
    one, two, none = effects([Estimate(0.5), Estimate(1.0), None], "points")
    assert none is None
    assert (one.zero, two.zero) == (4, 4) and (one.at, two.at) == (50, 96)


def test_a_table_is_shown_in_words_and_sorted_by_numbers():
    columns = (Column("name", "Name"), Column("share", form="percent"), Column("n", form="count"))
    lines = (Line(("a", Estimate(0.893, error=0.012), 1234), "a note", ("alpha", "merged"), True), Line(("b", None, 5)))
    table = view(Table(columns, lines, "caption", total=("together", None, 1239)), Marks(("alpha",)))
    first, second = table.lines
    assert [(cell.text, cell.small, cell.value) for cell in first.cells] == [
        ("a", "", "a"), ("89.3", "± 1.2", 0.893), ("1\N{NARROW NO-BREAK SPACE}234", "", 1234),
    ]  # fmt: skip
    assert (first.note, first.kind, first.chosen, first.mark.character) == ("a note", "merged", True, "▲")
    assert (second.cells[1].text, second.cells[1].value, second.mark) == ("", "", None)
    assert [cell.text for cell in table.total] == ["together", "", "1\N{NARROW NO-BREAK SPACE}239"]
    assert table.headings == (("Name", "text"), ("share", "percent"), ("n", "count"))
    assert not table.has_effects


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        (0.5, "percent", "50.0"),
        (-0.25, "decimal", "−0.25"),
        (76.04, "number", "76.0"),
        (0.00123456, "significant", "0.00123"),
    ],
)
def test_numbers_have_the_digits_of_their_form(value, form, said):
    assert shown(value, form) == said


def test_amounts_and_durations_are_brief():
    space = "\N{NO-BREAK SPACE}"
    assert [amount(n) for n in (950, 12_345, 4_560_000, 7e9)] == ["950", f"12.3{space}k", f"4.56{space}M", f"7{space}G"]
    assert [duration(s) for s in (4.26, 75, 7265)] == ["4.3 s", "1 min 15 s", "2 h 01 min"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at -0.6 points [-3.3, 1.9]", "at −0.6 points [−3.3, 1.9]"),
        ("linear-0.5 and chain-of-draft", "linear-0.5 and chain-of-draft"),
        ("8 % fewer", "8\N{NO-BREAK SPACE}% fewer"),
    ],
)
def test_typesetting(text, said):
    assert typeset(text) == said
