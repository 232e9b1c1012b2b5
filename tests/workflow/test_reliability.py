"""Whatever happens to a run, no wrong artifact is taken for a right one, and what is said tells what to do."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from bestpath.stages.generation.lines import entry_of
from tests.workflow.conftest import Project, programs
from tests.workflow.test_bad_input import assert_told
from tests.workflow.test_interruption import contents, journalled

pytestmark = pytest.mark.workflow

CANDIDATES = "results/tiny/recut/main/s1/candidates.parquet"
EXPLORED = "recut/main/s1/explore"
KILLS = 20
SEED = 20
MODELS = "models/recut/main/s1"
ENDS = [
    *(f"results/tiny/{MODELS}/{merge}/manifest.json" for merge in ("dare_ties", "average")),
    "results/tiny/evaluate/recut/main/s1/length/test.scores.parquet",
]
"""All merges, and the grades of a specialist."""


class Watch:
    """What the journals of a run hold, looked at all the time: a finished problem must never come again."""

    def __init__(self, project: Project) -> None:
        self.root = project.folder / "results/.work"
        self.seen: dict[Path, list[str]] = {}

    def look(self) -> None:
        """Check that every journal goes on where it was, each problem in it once."""
        for path in self.root.glob("*/*/journal.jsonl"):
            if path.parent.parent.name not in {"recut_explore", "evaluate_sample"}:
                continue  # a training that is done and not yet recorded begins anew, with its readouts
            with suppress(FileNotFoundError):  # swept up just now
                self._look_at(path)

    def _look_at(self, path: Path) -> None:
        entries = [entry for line in path.read_bytes().splitlines(keepends=True) if (entry := entry_of(line))]
        problems = [entry["problem"] for entry in entries[1:]]  # the first line holds the key
        before = self.seen.get(path, [])
        assert problems[: len(before)] == before, f"{path} began anew"
        assert len(problems) == len(set(problems)), f"{path} holds a problem twice"
        self.seen[path] = problems


def test_killed_at_twenty_random_moments_a_run_ends_with_the_same_bytes(finished: Project, clone: Project) -> None:
    """Kill -9 of the main process or of a job, by chance; a killed job is tried again by the run itself.

    From the problems and the base on: pretraining alone would take most of the kills.
    """
    project, draw = clone, random.Random(SEED)
    watch, victims = Watch(project), []
    remove_what_leads_to_ends(project)
    run = project.start(*ENDS, "--retries", str(KILLS))
    while len(victims) < KILLS:
        wanted = draw.choice(("run", "job"))
        moment = time.monotonic() + draw.uniform(1, 7)
        while time.monotonic() < moment or not programs(run):
            watch.look()
            time.sleep(0.05)
            if run.poll() is not None:  # a fast machine is done before it was killed often enough
                assert run.returncode == 0, (project.folder / "run.log").read_text()[-8000:]
                assert contents(project) == contents(finished)
                remove_what_leads_to_ends(project)
                watch.seen.clear()
                run = project.start(*ENDS, "--retries", str(KILLS))
        jobs = programs(run)
        with suppress(psutil.NoSuchProcess, IndexError):
            (run if wanted == "run" else draw.choice(jobs)).kill()
        victims.append(wanted)
        if wanted == "run":
            run.wait()
            psutil.wait_procs(jobs, timeout=60)  # they end with their run
            run = project.start(*ENDS, "--retries", str(KILLS))
    while run.poll() is None:
        watch.look()
        time.sleep(0.05)
    assert run.wait() == 0, (project.folder / "run.log").read_text()[-8000:]
    assert {"run", "job"} == set(victims)
    assert {path.parent.parent.name for path in watch.seen} == {"recut_explore", "evaluate_sample"}
    assert contents(project) == contents(finished)
    assert left_to_resume(project) == left_to_resume(finished)  # draws alone are kept for good


@pytest.mark.parametrize("whole_group", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_a_run_told_to_stop_goes_on_later(finished: Project, clone: Project, whole_group: bool) -> None:
    """Ctrl-C reaches every process of the terminal; SIGTERM to the run alone lets its running jobs come to an end."""
    remove_exploration(clone)
    run = clone.start(CANDIDATES)
    while not journalled(clone, "recut_explore"):
        assert run.poll() is None
        time.sleep(0.002)
    jobs = programs(run)
    if whole_group:
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.terminate()
    assert run.wait() != 0
    _, alive = psutil.wait_procs(jobs, timeout=60)
    assert not alive
    printed = (clone.folder / "run.log").read_text()
    assert "Traceback" not in printed, printed
    watch = Watch(clone)
    watch.look()
    clone.run(CANDIDATES)
    watch.look()
    assert contents(clone) == contents(finished)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """`folder` on a file system of its own, with that much room."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.needs("mount")
def test_a_full_disk_loses_nothing(finished: Project, clone: Project) -> None:
    remove_exploration(clone)
    shutil.move(clone.folder / "results", clone.folder / "made")
    (clone.folder / "results").mkdir()
    with small_disk(clone.folder / "results", 200):
        shutil.copytree(clone.folder / "made", clone.folder / "results", dirs_exist_ok=True)
        filler = clone.folder / "results/filler"
        room = shutil.disk_usage(filler.parent).free - 60_000
        filler.write_bytes(b"\0" * room)
        done = clone.snakemake(CANDIDATES)
        assert_told(done.returncode, done.stderr, ["cannot write", "No space left on device", "free some"])
        assert not (clone.folder / CANDIDATES).exists()
        filler.unlink()
        clone.run(CANDIDATES)
        assert contents(clone) == contents(finished)


@pytest.mark.needs("mount")
def test_a_read_only_results_folder_stops_the_run(clone: Project) -> None:
    remove_exploration(clone)
    results = clone.folder / "results"
    with small_disk(results, 10):
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        done = clone.snakemake(CANDIDATES)
        assert_told(done.returncode, done.stderr, ["results", "not writable", "make it writable"])


def test_a_damaged_table_is_not_read(clone: Project) -> None:
    """A flipped byte, and a file that breaks off: both are found by the rule that reads them."""
    shard = clone.results / EXPLORED / "00000.parquet"
    whole = shard.read_bytes()
    (clone.folder / CANDIDATES).unlink()
    for damaged in (bytes([*whole[:400], whole[400] ^ 1, *whole[401:]]), whole[: len(whole) // 2]):
        shard.write_bytes(damaged)
        done = clone.snakemake(CANDIDATES)
        assert_told(done.returncode, done.stderr, ["cannot read", "00000.parquet", "delete it and run the workflow"])
        assert not (clone.folder / CANDIDATES).exists()
    shard.unlink()
    clone.run(CANDIDATES)
    assert shard.read_bytes() == whole


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "bytes instead of"),
        (lambda data: bytes([*data[:-1], data[-1] ^ 1]), "changed or damaged"),
    ],
    ids=["half-written", "flipped byte"],
)
def test_a_damaged_model_is_not_used(clone: Project, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    weights = clone.results / "models/recut/main/s1/length/model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    samples = "results/tiny/evaluate/recut/main/s1/length/test.samples.parquet"
    done = clone.snakemake(samples, "--forcerun", "evaluate_sample")
    assert_told(done.returncode, done.stderr, ["model.safetensors", said, "delete the folder", "run the workflow"])


def test_a_clock_that_jumps_stales_nothing(clone: Project) -> None:
    """Files from the future make nothing stale, and stop a run that would make something older than its inputs."""
    year = 365 * 24 * 3600
    date_results(clone, time.time() + year)
    assert clone.stale() == {}
    shutil.rmtree(clone.results / "report")
    refused = clone.snakemake()
    assert refused.returncode == 1
    assert "clock skew" in refused.stdout + refused.stderr
    assert not (clone.results / "report/report.html").exists()
    date_results(clone, 0)
    assert clone.stale() == {"report": 1}
    clone.run()
    assert clone.stale() == {}


def date_results(project: Project, when: float) -> None:
    """Give every result this time of its last change."""
    for path in project.results.rglob("*"):
        if path.is_file():
            os.utime(path, (when, when))


def remove_what_leads_to_ends(project: Project) -> None:
    """Take away what was made from the problems and the base on the way to `ENDS`."""
    for made in (MODELS, "evaluate/recut/main/s1/length"):
        shutil.rmtree(project.results / made)
    for path in (project.results / "recut/main/s1").iterdir():
        if path.name != "funnel.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def left_to_resume(project: Project) -> set[Path]:
    """The folders in which jobs keep what they have done so far."""
    root = project.folder / "results/.work"
    return {path.relative_to(root) for path in root.glob("*/*")}


def remove_exploration(project: Project) -> None:
    """Take away what the exploration made of one shard, and what was made from it first."""
    for path in (project.results / EXPLORED).glob("00001.*"):
        path.unlink()
    (project.folder / CANDIDATES).unlink()
