"""GPU leases: which devices there are, who holds them, and that they come back however a holder ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bestpath.core.errors import UserError
from bestpath.runtime.leases import devices_of, folder_of, lease

ROOT = Path(__file__).resolve().parents[2]
WITH_GPUS = ROOT / "scripts" / "with_gpus.py"

SAY_AND_WAIT = "import os, sys; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); sys.stdin.read()"
WITH_CHILDREN = """
import subprocess, sys
wait = [sys.executable, "-c", "import time; time.sleep(600)"]
own_session = subprocess.Popen(wait, start_new_session=True)
parentless = subprocess.run(["bash", "-c", "sleep 600 >&- 2>&- & echo $!"], capture_output=True, text=True).stdout
print(own_session.pid, parentless.strip(), flush=True)
sys.stdin.read()
"""


class Jobs:
    """Jobs on fake devices; those that still run are killed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, n: int, devices: str, code: str = SAY_AND_WAIT, **environment: str) -> subprocess.Popen[str]:
        """Start a job on `n` of the devices."""
        job = subprocess.Popen(
            [sys.executable, WITH_GPUS, "--leases", self.folder, str(n), sys.executable, "-c", code],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": devices, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(job)
        return job


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path / "leases")
    yield running
    for job in running.started:
        job.kill()
        job.communicate()


def said(job: subprocess.Popen[str]) -> str:
    """The line that a job prints once it runs."""
    assert job.stdout
    return job.stdout.readline().strip()


def gone(pids: list[int]) -> bool:
    """Whether all these processes end within a while."""
    alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=30)[1]
    return not alive


@pytest.mark.parametrize(
    ("visible", "devices"),
    [("0,1", ["0", "1"]), ("GPU-8f2a, MIG-3c/1/0", ["GPU-8f2a", "MIG-3c/1/0"]), ("3,3", ["3"]), ("", []), ("-1", [])],
)
def test_the_environment_names_the_devices(visible: str, devices: list[str]) -> None:
    assert devices_of({"CUDA_VISIBLE_DEVICES": visible}) == devices


def test_without_it_all_devices_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices_of({}, tmp_path) == []
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert devices_of({}, tmp_path) == ["0", "1", "2"]


def test_or_those_that_the_driver_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1)'\necho '  MIG 1g: (UUID: MIG-1)'\necho 'GPU 1: A'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert devices_of({}, tmp_path) == ["0", "1"]


def test_runs_of_one_user_agree_and_allocations_are_kept_apart() -> None:
    assert folder_of({}) == folder_of({"TMPDIR": "/elsewhere"})
    assert len({folder_of({}), folder_of({"SLURM_JOB_ID": "7"}), folder_of({"SLURM_JOB_ID": "8"})}) == 3


def test_jobs_get_devices_of_their_own(jobs: Jobs) -> None:
    started = [jobs.start(1, "a,b,c"), jobs.start(2, "a,b,c")]
    held = [device for job in started for device in said(job).split(",")]
    assert sorted(held) == ["a", "b", "c"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, None])
def test_a_device_is_free_when_its_holder_ends_however(jobs: Jobs, how: signal.Signals | None) -> None:
    holder = jobs.start(1, "a")
    assert said(holder) == "a"
    waiting = jobs.start(1, "a")
    if how:
        holder.send_signal(how)
    else:
        holder.communicate()
    assert said(waiting) == "a"
    assert holder.wait() == {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGKILL: -signal.SIGKILL, None: 0}[how]


def test_a_job_waits_without_taking_a_part(jobs: Jobs) -> None:
    one = jobs.start(1, "a,b")
    assert said(one) == "a"
    both = jobs.start(2, "a,b")
    assert said(jobs.start(1, "b")) == "b"
    assert both.poll() is None


def test_more_than_there_are_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"asks for 3 GPUs, but this machine offers only 2 \(a, b\).*gpu=2"):
        lease(3, ["a", "b"], tmp_path, print)
    with pytest.raises(UserError, match=r"asks for 1 GPU, but this machine offers none; set compute\.gpus to 0"):
        lease(1, [], tmp_path, print)


def test_who_waits_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bestpath.runtime.leases._TELL_AFTER_S", 0.0)
    monkeypatch.setattr("bestpath.runtime.leases._ASK_EVERY_S", 0.01)
    answers = [[], [], [], ["a"]]
    monkeypatch.setattr("bestpath.runtime.leases._take", lambda *_: answers.pop(0))
    told: list[str] = []
    assert lease(1, ["a"], tmp_path, told.append) == ["a"]
    assert told == ["waiting for 1 of the GPUs a, which other jobs of this machine use"]


def test_a_job_without_gpus_sees_none_and_one_of_a_scheduler_sees_its_own(jobs: Jobs) -> None:
    assert said(jobs.start(0, "a,b")) == ""
    assert [said(jobs.start(1, "a", BESTPATH_SCHEDULED="1")) for _ in range(2)] == ["a", "a"]


def test_the_exit_code_is_that_of_the_command(jobs: Jobs) -> None:
    assert jobs.start(0, "", "raise SystemExit(7)").wait() == 7


@pytest.mark.parametrize("dies", ["the job", "the run"])
def test_nothing_of_a_job_outlives_it_or_its_run(jobs: Jobs, dies: str) -> None:
    """Neither a child in a session of its own nor one that has lost its parent; the device is free after them."""
    run = subprocess.Popen(["sleep", "600"])
    holder = jobs.start(1, "a", WITH_CHILDREN, BESTPATH_RUN_PID=str(run.pid))
    children = [int(pid) for pid in said(holder).split()]
    assert len(children) == 2
    if dies == "the job":
        command = next(child for child in psutil.Process(holder.pid).children() if child.pid not in children)
        command.kill()
    else:
        run.kill()
    run_ended = run.wait() if dies == "the run" else None
    assert holder.wait() == (1 if run_ended else 128 + signal.SIGKILL)
    assert gone(children)
    assert said(jobs.start(1, "a")) == "a"
    run.kill()
    run.wait()


SNAKEFILE = """
rule all:
    input: expand("{job}.done", job=range(4))

rule work:
    output: touch("{job}.done")
    resources: gpu=1
    shell: "{PYTHON} {WITH_GPUS} --leases leases {{resources.gpu}} {PYTHON} work.py {{wildcards.job}}"
"""

WORK = """
import os, sys, time
from pathlib import Path
device = os.environ["CUDA_VISIBLE_DEVICES"]
mark = Path(f"device-{device}")
mark.touch(exist_ok=False)  # fails when two jobs share a device
with open("log", "a") as log:
    print(sys.argv[1], device, file=log)
time.sleep(0.5)
mark.unlink()
"""


@pytest.mark.parametrize("n", [2, 4])
def test_jobs_of_a_run_never_share_a_device(tmp_path: Path, n: int) -> None:
    """On two devices, whether Snakemake knows that there are two, or is told that there are more."""
    text = SNAKEFILE.replace("{PYTHON}", sys.executable).replace("{WITH_GPUS}", str(WITH_GPUS))
    (tmp_path / "Snakefile").write_text(text.replace("{{", "{").replace("}}", "}"))
    (tmp_path / "work.py").write_text(WORK)
    done = subprocess.run(
        [Path(sys.executable).parent / "snakemake", "--cores", "4", "--resources", f"gpu={n}"],
        cwd=tmp_path,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "a,b"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(job for job, _ in lines) == ["0", "1", "2", "3"]
    assert {device for _, device in lines} == {"a", "b"}
