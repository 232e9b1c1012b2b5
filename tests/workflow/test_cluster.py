"""The workflow on a real Slurm of this machine: devices, the same bytes as without, and jobs that the cluster ends."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slurm.test_profile import ONE_GPU, OPTIONS
from tests.workflow.conftest import Project
from tests.workflow.test_interruption import journalled
from with_slurm import cluster

pytestmark = [pytest.mark.workflow, pytest.mark.needs("slurm")]

EXPLORED = "recut/main/s1/explore"
CANDIDATES = "results/tiny/recut/main/s1/candidates.parquet"
TRAINED = "recut/main/s1/train/length/0.0003"
MODEL = f"results/tiny/{TRAINED}/model/manifest.json"


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    """A cluster to submit to."""
    with cluster():
        yield


@pytest.fixture
def clone(slurm: None, finished: Project, tmp_path: Path) -> Project:
    """A clone whose jobs on models ask for a GPU. That alone makes nothing stale."""
    clone = finished.clone(tmp_path / "clone").overlay(ONE_GPU)
    assert clone.stale(CANDIDATES, MODEL) == {}
    return clone


def on_slurm(project: Project, *targets: str) -> list[str]:
    """The command line of a run on the cluster."""
    options = OPTIONS.replace("--retries 0", "--retries 1 --slurm-keep-successful-logs --latency-wait 10")
    return project.command(*targets, "--workflow-profile", "profiles/slurm", *options.split())


def run_and(project: Project, target: str, ready: Callable[[], bool], act: Callable[[list[str]], None]) -> str:
    """Start a run on the cluster, act on its jobs when ready, and return what it printed; it must succeed."""
    with (project.folder / "run.log").open("w") as log:
        run = subprocess.Popen(on_slurm(project, target), cwd=project.folder, stdout=log, stderr=subprocess.STDOUT)
        while not ready():
            assert run.poll() is None, "the run ended too early"
            time.sleep(0.02)
        act(said("squeue", "--noheader", "--states=RUNNING", "--format=%A").split())
        code = run.wait()
    printed = (project.folder / "run.log").read_text()
    assert code == 0, printed[-8000:]
    return printed


def remove_exploration(project: Project) -> None:
    shutil.rmtree(project.results / EXPLORED)
    (project.folder / CANDIDATES).unlink()


def said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def logs_of(project: Project, rule: str) -> str:
    """What the jobs of a rule told Slurm's logs."""
    logs = (project.folder / ".snakemake/slurm_logs" / f"rule_{rule}").rglob("*.log")
    return "".join(path.read_text() for path in logs)


def test_jobs_get_devices_from_slurm_and_make_the_same_bytes(finished: Project, clone: Project) -> None:
    remove_exploration(clone)
    done = subprocess.run(on_slurm(clone, CANDIDATES), cwd=clone.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-8000:]
    assert contents(clone.results / EXPLORED) == contents(finished.results / EXPLORED)
    told = [path.read_text().splitlines()[0] for path in (clone.results / "logs/recut_explore").iterdir()]
    assert sorted(told) == ["GPUs: 0", "GPUs: 1"]
    assert clone.stale(CANDIDATES) == {}


def test_a_cancelled_and_a_requeued_job_go_on_from_their_journals(finished: Project, clone: Project) -> None:
    remove_exploration(clone)

    def act(jobs: list[str]) -> None:
        requeued, *cancelled = jobs
        subprocess.run(["scontrol", "requeue", requeued], check=True)
        subprocess.run(["scancel", *cancelled], check=True)
        # Slurm would wait two minutes before it starts a requeued job again.
        while said("squeue", "--noheader", f"--jobs={requeued}", "--states=RUNNING,COMPLETING", "--format=%A"):
            time.sleep(0.1)
        subprocess.run(["scontrol", "update", f"JobId={requeued}", "StartTime=now"], check=True)

    run_and(clone, CANDIDATES, lambda: journalled(clone, "recut_explore") > 0, act)
    assert "problems were finished before" in logs_of(clone, "recut_explore")
    assert contents(clone.results / EXPLORED) == contents(finished.results / EXPLORED)


def test_a_cancelled_training_saves_and_goes_on(finished: Project, clone: Project) -> None:
    shutil.rmtree(clone.results / TRAINED)

    def training() -> bool:
        return any((clone.folder / "results/.work/train_specialist").glob("*/checkpoints/log.jsonl"))

    printed = run_and(clone, MODEL, training, lambda jobs: said("scancel", *jobs))
    assert "was told to stop (SIGTERM) at step" in printed
    assert contents(clone.results / TRAINED) == contents(finished.results / TRAINED)
