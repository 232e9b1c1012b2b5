from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.stages.report.blocks import AnyTwo, Estimate, Text
from bestpath.stages.report.comparison import any_two, inverted, negated, result_tables, settings_of, size
from tests.stages.report.example import report, system


def headings(table):
    return [column.heading or column.name for column in table.columns]


def test_result_tables_follow_data_set_and_decoding(data):
    assert [setting.title for setting in settings_of(data.systems)] == ["test, greedy", "test, sampled (T = 0.7)"]
    greedy, sampled = result_tables(data)
    assert greedy.caption.startswith("test, greedy, 300 problems, at most 160")
    assert sampled.caption.startswith("test, sampled (T = 0.7), 300 × 4 problems")
    assert [line.values[0] for line in greedy.lines][:2] == ["base", "alpha prompt"]
    assert greedy.lines[0].values[2] is None  # the base is not compared with itself
    assert [line.chosen for line in greedy.lines] == [False, False, False, True, False]


def test_one_method_needs_no_column_for_it(data, both):
    assert "Method" not in headings(result_tables(data)[0])
    (table, _) = result_tables(both)
    at = headings(table).index("Method")
    assert {line.values[at] for line in table.lines} == {"Alpha", "Beta"}


def test_what_systems_were_made_from_has_columns_where_it_is_known(data):
    assert "Sampled tokens" not in headings(result_tables(data)[0])
    made = tuple(replace(row, sampled_tokens=12_345.0, trained_rows=356.0) for row in data.systems)
    table = result_tables(replace(data, systems=made))[0]
    assert headings(table)[-2:] == ["Sampled tokens", "Trained rows"]
    assert table.lines[0].values[-2:] == (12_345.0, 356.0)


def test_what_differs_between_systems_has_a_column_and_what_does_not_is_said_above():
    one, two = system("base", "base", "a"), replace(system("b", "merged", "a"), problems=200, max_tokens=320)
    table = result_tables(replace(report("a"), systems=(one, two)))[0]
    assert headings(table)[-2:] == ["n", "Token limit"]
    assert table.caption == "test, greedy"


def test_sizes_tell_samples_from_seeds():
    row = system("b", "merged", "a")
    assert size(row) == "300"
    assert size(replace(row, samples=2400, seeds=2)) == "300 × 4"


def test_notes_say_what_fits_no_column():
    row = replace(system("b", "merged", "a"), seeds=3, samples=900, accuracy_seed_sd=0.012, undecided=0.1, errors=0.05)
    (table,) = result_tables(replace(report("a"), systems=(row,)))
    assert table.lines[0].note == "3 seeds, accuracy SD 1.2; 10.0 % undecided; 5.0 % failed in the engine"


def pair(system_, reference, metric, value, low, high):
    return {"system": system_, "reference": reference, "dataset": "test", "decoding": "greedy", "metric": metric,
            "value": value, "ci_low": low, "ci_high": high}  # fmt: skip


def test_pairs_are_turned_so_that_the_first_is_compared_with_the_second():
    rows = [
        pair("b", "a", "accuracy", 0.1, 0.05, 0.2),
        pair("b", "a", "tokens", 0.5, 0.4, 0.8),
        pair("c", "a", "accuracy", 0.2, None, None),
    ]
    text, choice = any_two(rows, "b")
    assert isinstance(text, Text) and isinstance(choice, AnyTwo)
    (setting,) = choice.settings
    assert setting.systems == ("a", "b", "c")
    assert setting.accuracy == (Estimate(-0.1, low=-0.2, high=-0.05), Estimate(-0.2), None)
    assert setting.tokens == (Estimate(2.0, low=1.25, high=2.5), None, None)


def test_the_other_way_round_and_back_is_the_same():
    estimate = Estimate(0.5, low=0.4, high=0.8)
    assert negated(negated(estimate)) == estimate
    again = inverted(inverted(estimate))
    assert (again.value, again.low, again.high) == pytest.approx((0.5, 0.4, 0.8))
    assert inverted(Estimate(0.0, low=0.0, high=0.0)) is None


def test_the_choice_of_two_is_bounded_and_says_so():
    rows = [pair(f"s{i}", "base", "accuracy", 0.1, 0.0, 0.2) for i in range(9)]
    _, choice, note = any_two(rows, "s1", most=4)
    assert choice.settings[0].systems == ("base", "s0", "s1", "s2")
    assert note.paragraphs[0].startswith("6 more systems")
