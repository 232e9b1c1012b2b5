"""docs/add-a-method.md, followed to the letter: its files written, its changes applied, its method run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs/add-a-method.md").read_text()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    copied = Project.copy_to(tmp_path_factory.mktemp("method") / "project")
    for path, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        file = copied.folder / path
        assert not file.exists()
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    [changes] = re.findall(r"^```diff\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    command = ["git", "apply", "-C1", "-"]
    done = subprocess.run(command, cwd=copied.folder, input=changes, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Project(copied.folder, "config/test/tiny.yaml config/vote.yaml")


def test_the_method_runs(project: Project) -> None:
    project.run("vote")
    rows = [row for path in (project.folder / "results/vote/vote/s1").glob("*.parquet") for row in _rows(path)]
    assert len(rows) > 20
    assert all(1 <= row["votes"] <= 5 and row["answer"] in row["text"] for row in rows)
    assert any(row["correct"] for row in rows)
    assert project.stale("vote") == {}


def test_its_settings_are_checked_and_reach_its_rule_alone(project: Project) -> None:
    (project.folder / "config/more.yaml").write_text("vote: {samples: 3}\n")
    more = Project(project.folder, f"{project.config} config/more.yaml")
    assert set(more.stale("vote")) - {"vote"} == {"vote_paths"}
    (project.folder / "config/more.yaml").write_text("vote: {sample: 3}\n")
    refused = more.snakemake("vote", "--dry-run")
    assert refused.returncode == 1 and "unknown setting 'vote.sample'" in refused.stderr + refused.stdout


def _rows(path: Path):  # type: ignore[no-untyped-def]
    return pq.read_table(path).to_pylist()
