from __future__ import annotations

from bestpath.stages.report.blocks import Column, Estimate, Funnel, Line, Reject, Step, Table, Text
from bestpath.stages.report.tables import plain_tables

COLUMNS = (Column("name", "Name"), Column("accuracy", form="percent"), Column("delta", form="points"))


def test_estimates_take_a_column_a_number_and_the_chosen_line_is_told():
    lines = (
        Line(("a", Estimate(0.9, 0.01), Estimate(0.1, low=0.05, high=0.2)), "one", chosen=True),
        Line(("b", None, None), "two"),
    )
    (table,) = plain_tables([Text(("left out",)), Table(COLUMNS, lines, name="merges", note="differs")])
    assert table.headings == (
        "name", "differs", "accuracy", "accuracy SE", "delta", "delta low", "delta high", "chosen",
    )  # fmt: skip
    assert table.rows == (
        ("a", "one", 0.9, 0.01, 0.1, 0.05, 0.2, "yes"),
        ("b", "two", None, None, None, None, None, ""),
    )
    assert table.csv().splitlines()[2] == "b,two,,,,,,"


def test_a_table_without_a_name_or_without_lines_is_not_written():
    line = Line(("a", None, None))
    assert list(plain_tables([Table(COLUMNS, (line,)), Table(COLUMNS, (), name="empty")])) == []


def test_a_funnel_is_two_tables_or_one_if_nothing_was_rejected():
    step = Step("pairs", "problems", 10, 7, (Reject("no_wrong", 2, "no wrong candidate"),))
    funnel, rejects = plain_tables([Funnel((step,))])
    assert funnel.rows == (("pairs", "problems", 10, 7, 2, 1),)
    assert rejects.rows == (("pairs", "no_wrong", 2, "no wrong candidate"),)
    assert [table.name for table in plain_tables([Funnel((Step("all", "problems", None, 3),))])] == ["funnel"]


def test_a_bar_in_a_cell_does_not_break_a_markdown_table():
    (table,) = plain_tables([Table((Column("question"),), (Line(("what is |x|?",)),), name="suspects")])
    assert r"what is \|x\|?" in table.markdown()
