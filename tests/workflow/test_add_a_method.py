"""docs/add-a-method.md, followed to the letter: its files written, its one line changed, its method run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.workflow.conftest import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.needs("git")]

PAGE = (ROOT / "docs/add-a-method.md").read_text()
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
ALONE = "methods: {recut: null, gsi: null, vote: {samples: 4, least: 2}}\n"


def follow(project: Project) -> Project:
    """Write the page's files, and change its one line."""
    for path, text in FILES.items():
        file = project.folder / path
        assert not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    [[path, before, after]] = re.findall(r"^\+\+\+ b/(\S+)\n@@\n-(.*)\n\+(.*)$", PAGE, re.MULTILINE)
    catalog = project.folder / path
    text = catalog.read_text()
    assert text.count(before) == 1
    catalog.write_text(text.replace(before, after))
    return project.overlay(ALONE)


@pytest.fixture
def project(clone: Project) -> Project:
    """The finished project with the method added: it has its base already."""
    return follow(clone)


def test_one_line_outside_its_own_files_is_changed() -> None:
    """Its own are those in folders, and with names, of its own."""
    own = re.compile(r"(rules|config)/vote\.(smk|yaml)|scripts/vote_\w+\.py|scripts/bestpath/methods/vote/.*|"
                     r"config/prompts/vote/.*|docs/vote\.md|tests/methods/vote/.*")  # fmt: skip
    assert all(own.fullmatch(path) for path in FILES)
    [changes] = re.findall(r"^```diff\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    changed = [line for line in changes.splitlines() if re.match(r"[+-](?![+-]{2})", line)]
    assert [line[0] for line in changed] == ["-", "+"]


def test_the_method_trains_is_evaluated_and_reported(project: Project) -> None:
    project.run()
    results = project.folder / "results/tiny"
    rows = [
        row for path in (results / "vote/main/s1/paths").glob("*.parquet") for row in pq.read_table(path).to_pylist()
    ]
    assert len(rows) > 20
    assert all(1 <= row["votes"] <= 4 and row["answer"] in row["text"] for row in rows)
    assert any(row["correct"] for row in rows)
    table = json.loads((results / "tables/results.json").read_text())
    trained = [row for row in table if row["system"] == "self-trained"]
    assert trained and all(row["method"] == "vote" and row["trained_rows"] > 0 for row in trained)
    assert all(row["sampled_tokens"] > 0 and row["delta"] is not None for row in trained)
    lineage = json.loads((results / "systems.json").read_text())["lineages"]["vote/main/s1/self"]
    assert lineage["trained_on"] == ["base"]
    assert "The majority is right" in (results / "report/report.html").read_text().replace(
        "the majority", "The majority"
    )
    assert project.stale() == {}
    (project.folder / "config/test/more.yaml").write_text("methods: {vote: {samples: 3}}\n")
    more = Project(project.folder, f"{project.config} config/test/more.yaml")
    assert "vote_paths" in more.stale() and "embedded_base" not in more.stale()


def test_its_settings_are_checked_and_its_cost_is_told(project: Project) -> None:
    (project.folder / "config/test/more.yaml").write_text("methods: {vote: {sample: 3}}\n")
    refused = Project(project.folder, f"{project.config} config/test/more.yaml").snakemake("vote", "--dry-run")
    assert refused.returncode == 1 and "unknown setting 'methods.vote.sample'" in refused.stderr + refused.stdout
    overlays = project.config.split()
    command = [sys.executable, "scripts/show_plan.py", "--configfile", *overlays]
    plan = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert plan.returncode == 0, plan.stderr
    assert "vote_paths" in plan.stdout and "not known" not in plan.stdout


def test_the_gates_pass(project: Project) -> None:
    """Layers, lint and names, with nothing added to their configuration."""
    for name in ("pyproject.toml",):
        (project.folder / name).write_text((ROOT / name).read_text())
    python = Path(sys.executable).parent
    environment = {"PYTHONPATH": "scripts", "PATH": f"{python}:/usr/bin:/bin"}
    for command in (
        ["lint-imports"],
        ["ruff", "check", "scripts/bestpath/methods/vote", "scripts/vote_paths.py"],
        ["python", "scripts/check_names.py"],
    ):
        done = subprocess.run(
            [python / command[0], *command[1:]], cwd=project.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
