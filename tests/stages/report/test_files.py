from __future__ import annotations

import csv
from dataclasses import replace

from bestpath.stages.report.data import Suspect
from bestpath.stages.report.files import write_report
from bestpath.stages.report.tables import tables


def test_a_report_is_a_page_its_figures_and_its_tables(folder):
    assert (folder / "report.html").is_file()
    figures = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert figures == {path.stem for path in (folder / "figures").glob("*.png")}
    assert {"pareto-test-greedy", "lengths", "rewards"} <= figures
    written = {path.stem for path in (folder / "tables").glob("*.csv")}
    assert {"funnel", "rejects", "rewards", "training", "merges", "cost"} <= written
    assert written == {path.stem for path in (folder / "tables").glob("*.md")}
    assert not list(folder.rglob("*.tmp-*"))


def test_equal_data_give_equal_bytes(data, folder, tmp_path):
    write_report(data, tmp_path)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_tables_hold_every_reason_and_every_stage(folder, data):
    with (folder / "tables" / "rejects.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["reason"], int(row["count"])) for row in rows] == [
        reject for step in data.funnel for reject in step.rejects
    ]
    with (folder / "tables" / "cost.csv").open(encoding="utf-8") as stream:
        assert [row["stage"] for row in csv.DictReader(stream)] == [row.stage for row in data.cost]


def test_tables_without_rows_are_not_written(data):
    names = [table.name for table in tables(replace(data, merges=(), funnel=(), suspects=()))]
    assert names == ["rewards", "training", "cost"]


def test_a_bar_in_a_cell_does_not_break_a_markdown_table(data):
    suspect = Suspect("p", "what is |x|?", "3", "4", 5)
    table = next(t for t in tables(replace(data, suspects=(suspect,))) if t.name == "suspect_gold")
    assert r"what is \|x\|?" in table.markdown()
