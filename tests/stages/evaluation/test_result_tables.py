from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace

import pytest

from bestpath.core.systems import Spent
from bestpath.stages.evaluation.result_tables import csv_text, markdown, terminal, write_results
from bestpath.stages.evaluation.results import read_results
from tests.stages.evaluation.runs import base, results, run


def test_the_csv_holds_every_number():
    made = results(base(), run("length specialist", 0.9, 38))
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    assert [row["system"] for row in rows] == ["base", "length specialist"]
    assert rows[0]["delta"] == ""
    assert float(rows[1]["ratio_low"]) == pytest.approx(made[1].ratio_low, rel=1e-5)
    assert rows[1]["max_tokens"] == "160"


def test_markdown_and_terminal_tables_show_n_and_the_token_limit():
    made = results(base(), run("length specialist", 0.9, 38))
    for text in (markdown(made), terminal(made)):
        assert "length specialist" in text
        assert "90.0 ± 1.5" in text
        assert "400" in text and "160" in text
    assert markdown(made).startswith("### test, greedy\n\n| system")


def test_written_results_read_back(tmp_path):
    variant = run("length specialist (bare)", 0.9, 40, variant="bare")
    made = results(
        base(), run("length specialist", 0.9, 38, seed=1), run("length specialist", 0.9, 39, seed=2), variant
    )
    write_results(tmp_path, made)
    assert read_results(tmp_path / "results.json") == made
    assert json.loads((tmp_path / "results.json").read_text()) == [asdict(r) for r in made]
    assert (tmp_path / "results.csv").read_text() == csv_text(made)
    assert (tmp_path / "results.md").read_text() == markdown(made)


def test_the_terminal_table_fits_a_terminal_and_names_seeds():
    made = results(base(), run("merged: dare_ties", 0.9, 40, seed=1), run("merged: dare_ties", 0.8, 40, seed=2))
    text = terminal(made)
    assert text.startswith("test, greedy: n = 400, at most 160 tokens\n")
    assert "merged: dare_ties, 2 seeds" in text
    assert max(map(len, text.splitlines())) <= 120


def both():
    """Systems of two methods, with what they were made from."""
    return results(
        base(method="recut"),
        run("merged: dare_ties", 0.9, 40, method="recut", spent=Spent(1_234_567, 0, 950, 12_345)),
        run("iteration 2", 0.8, 40, method="gsi", spent=Spent(2_000_000, 5, 1000, 1e9)),
    )


def test_the_method_is_shown_where_there_are_several():
    made = both()
    for text in (markdown(made), terminal(made)):
        assert "method" in text and "recut" in text and "gsi" in text
    alone = [replace(line, method="gsi") for line in made]
    assert "method" not in markdown(alone) + terminal(alone)


def test_what_systems_were_made_from_stands_at_the_end():
    made = both()
    header, _, _, merged, _ = markdown(made).splitlines()[2:]
    assert [cell.strip() for cell in header.strip("| ").split("|")][-3:] == [
        "sampled",
        "trained rows",
        "trained tokens",
    ]
    assert [cell.strip() for cell in merged.strip("| ").split("|")][-3:] == ["1.23 M", "950", "12.3 k"]
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    assert list(rows[0])[-4:] == ["sampled_tokens", "teacher_tokens", "trained_rows", "trained_tokens"]
    assert [row["sampled_tokens"] for row in rows] == ["0", "1234567", "2000000"]
    assert rows[2]["trained_tokens"] == "1000000000"


def test_a_wide_terminal_table_drops_what_systems_were_made_from_first():
    made = both()

    def headings(width):
        text = terminal([replace(line, system=line.system.ljust(width, ".")) for line in made])
        assert max(map(len, text.splitlines())) <= 120
        assert "90.0 ± 1.5" in text
        return [heading for heading in ("method", "sampled", "trained") if heading in text]

    assert headings(20) == ["method"]
    assert headings(30) == []
    narrow = [replace(line, system=line.system[:4], delta_low=None, ratio_low=None) for line in made]
    assert "trained" in terminal(narrow)


def test_an_ungraded_system_has_empty_cells():
    made = [*results(base()), *results(base(), run("critic", 0.9, 38))[1:]]
    made[1] = replace(made[1], accuracy=None, accuracy_se=None, delta=None, delta_low=None, delta_high=None)
    row = next(line for line in markdown(made).splitlines() if "critic" in line)
    assert [cell.strip() for cell in row.strip("| ").split("|")][1:3] == ["", ""]
    assert "critic" in terminal(made)
    assert list(csv.DictReader(io.StringIO(csv_text(made))))[1]["accuracy"] == ""


def test_metrics_of_methods_have_columns_and_systems_without_scores_lines():
    metric = {"dataset": "test", "decoding": "greedy", "metric": "win rate", "n": 40}
    metrics = [
        {**metric, "system": "base", "reference": None, "value": 0.25, "ci_low": None, "ci_high": None},
        {**metric, "system": "judge", "reference": "base", "value": 0.612345, "ci_low": 0.5, "ci_high": 0.7},
        {**metric, "system": "judge", "dataset": "open", "reference": None, "value": 1.0, "ci_low": 1, "ci_high": 1},
    ]
    text = markdown(results(base()), metrics)
    header, _, of_base, of_judge = ([cell.strip() for cell in line.strip("|").split("|")]
                                    for line in text.splitlines()[2:6])  # fmt: skip
    assert header[-2:] == ["win rate", "win rate against the base"]
    assert of_base[-2:] == ["0.25", ""]
    assert of_judge == ["judge", *[""] * (len(header) - 2), "0.6123 [0.5, 0.7]"]
    assert "### open, greedy\n\n| system" in text and "1 [1, 1]" in text
