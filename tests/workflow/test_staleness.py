"""A change re-runs exactly what it reaches: real dry runs over real, finished results."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow

LEAVES = {"evaluate_table": 1, "report": 1}


def test_nothing_is_stale_after_a_run(clone: Project) -> None:
    assert clone.stale() == {}


def test_touching_every_file_stales_nothing(clone: Project) -> None:
    for path in clone.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)
    assert clone.stale() == {}


def test_comments_and_docstrings_stale_nothing(clone: Project) -> None:
    for path in (clone.folder / "scripts").rglob("*.py"):
        path.write_text(path.read_text() + "\n# one more remark\n")
    assert clone.stale() == {}


def test_code_cloned_anew_over_finished_results_stales_nothing(clone: Project, tmp_path: Path) -> None:
    fresh = Project.copy_to(tmp_path / "fresh")
    shutil.copytree(clone.folder / "results", fresh.folder / "results")
    shutil.copytree(clone.folder / ".snakemake", fresh.folder / ".snakemake")
    assert fresh.stale() == {}
