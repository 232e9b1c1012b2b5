"""The report of real, finished runs: every number stands beside the name that it belongs to."""

from __future__ import annotations

import csv
import re

import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow


def test_merges_have_their_own_numbers(finished: Project) -> None:
    with (finished.results / "report/tables/recut-merges.csv").open() as file:
        norms = {row["merge"]: float(row["norm ratio"]) for row in csv.DictReader(file)}
    assert list(norms) == ["dare_ties", "average"]  # as configured, which is not the order of the alphabet
    assert norms["average"] == pytest.approx(1.0, abs=1e-5)
    assert norms["dare_ties"] > 1.5


def test_variants_have_their_own_numbers_and_the_first_may_have_no_merge(clone: Project) -> None:
    clone.overlay("methods: {recut: {run: [sft_shortest, main]}}").run()
    with (clone.results / "report/tables/recut-variants.csv").open() as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    assert [row["ends with"] for row in rows.values()] == ["SFT (sft_shortest)", f"merged: {chosen(clone)}"]
    assert re.fullmatch(r"\d+ shortest solutions for SFT", rows["sft_shortest"]["training rows"])
    assert re.fullmatch(r"\d+ length pairs; \d+ accuracy pairs", rows["main"]["training rows"])
    assert "SFT (sft_shortest) writes" in (clone.results / "report/summary.txt").read_text()


def chosen(project: Project) -> str:
    """The merge that the dev split chose."""
    found = re.search(r'"chosen": "(\w+)"', (project.results / "recut/main/merge.json").read_text())
    assert found
    return found[1]
