"""What a killed run leaves behind: no job that goes on, no second run beside it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import Project, programs

pytestmark = pytest.mark.workflow

DETERMINISTIC = ("*.parquet", "*.safetensors", "*.jsonl", "results.*", "manifest.json", "choice.json", "funnel.json")


def contents(project: Project) -> dict[str, bytes]:
    """Every artifact but logs, times and the report, which tells times."""
    found = {}
    for pattern in DETERMINISTIC:
        for path in project.results.rglob(pattern):
            name = path.relative_to(project.results).as_posix()
            if not name.startswith(("logs/", "benchmarks/", "report/")):
                found[name] = path.read_bytes()
    return found


def journalled(project: Project, rule: str) -> int:
    """Problems that the journals of a rule hold."""
    journals = (project.folder / "results/.work" / rule).glob("**/journal.jsonl")
    return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in journals)


def test_a_job_dies_with_its_run(tmp_path: Path) -> None:
    project = Project.copy_to(tmp_path / "orphan")
    run = project.start()
    while not (jobs := programs(run, "scripts/embedded_base.py")):
        assert run.poll() is None, "the run ended before a job was seen"
        time.sleep(0.05)
    time.sleep(1)  # the job has to get as far as to watch its run
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(jobs, timeout=30)
    assert not alive


def test_everything_that_a_job_on_models_started_dies_with_its_run(clone: Project) -> None:
    candidates = "results/tiny/recut/main/s1/candidates.parquet"
    shutil.rmtree(clone.results / "recut/main/s1/explore")
    (clone.folder / candidates).unlink()
    run = clone.start(candidates)
    while not programs(run, "scripts/recut_explore.py"):
        assert run.poll() is None, "the run ended before a job was seen"
        time.sleep(0.05)
    started = run.children(recursive=True)
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive


def test_a_second_run_in_one_folder_is_refused(tmp_path: Path) -> None:
    project = Project.copy_to(tmp_path / "twice")
    run = project.start()
    while not (project.folder / "results/.work/run.lock").exists():
        time.sleep(0.05)
    second = project.snakemake()
    for process in [*run.children(recursive=True), run]:
        process.kill()
    run.wait()
    assert second.returncode == 1
    assert "another run is under way in this folder" in second.stderr
