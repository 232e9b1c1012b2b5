from __future__ import annotations

import csv

from bestpath.stages.report.folder import write_report


def test_a_report_is_a_page_its_figures_and_its_tables(folder):
    assert (folder / "report.html").is_file()
    figures = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert figures == {path.stem for path in (folder / "figures").glob("*.png")}
    assert figures == {"pareto-test-greedy", "pareto-test-sampled-t-0-7", "lengths", "loss", "rewards"}
    written = {path.stem for path in (folder / "tables").glob("*.csv")}
    assert written == {"funnel", "rejects", "merges", "cost"}
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
    assert [(row["reason"], int(row["count"])) for row in rows] == [("duplicate_question", 7), ("odd", 2)]
    with (folder / "tables" / "cost.csv").open(encoding="utf-8") as stream:
        assert [row["stage"] for row in csv.DictReader(stream)] == [row.rule for row in data.cost]
