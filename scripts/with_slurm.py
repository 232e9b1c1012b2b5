"""Run a command on a Slurm cluster; where there is none, on a cluster of this one machine that ends with the command.

    python scripts/with_slurm.py snakemake --workflow-profile profiles/slurm …

The cluster is made of the real daemons, from the Debian packages slurm-wlm and munge, and needs root. Two device
files stand for two GPUs, so that jobs get device ids of their own without any GPU.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.runtime.tools import tool

ETC = Path("/etc/slurm")
TOOLS = "munged munge slurmctld slurmd sbatch scontrol squeue scancel sinfo".split()
MARK = "# Written by bestpath (scripts/with_slurm.py), and removed when its cluster ends.\n"

# The executor plugin strips SLURM_* from the environment, SLURM_CONF included: the configuration must be in /etc.
SLURM_CONF = """\
ClusterName=bestpath
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:2
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = "NodeName={host} Name=gpu File=/dev/null,/dev/zero\n"

_PR_SET_PDEATHSIG = 1
_START_S = 60
_END_S = 60


def why_not() -> str | None:
    """Why no cluster can be started here, with the remedy; None if it can."""
    missing = [name for name in TOOLS if tool(name) is None]
    if missing:
        return f"Slurm is not installed here ({', '.join(missing)}); as root: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "starting a Slurm of one machine needs root; become root, or run where a Slurm is up"
    for path in (ETC / "slurm.conf", ETC / "gres.conf"):
        if path.exists() and not path.read_text().startswith(MARK):
            return f"{path} belongs to a Slurm that is not up; start its daemons, or move the file away"
    return None


def is_up() -> bool:
    """Whether a Slurm answers."""
    return shutil.which("scontrol") is not None and " UP" in _said("scontrol", "ping")


@contextmanager
def cluster() -> Iterator[None]:
    """A Slurm to submit to: the one that is up, or one of this machine alone, ended at the end.

    Raises UserError when there is none and none can be started.
    """
    if is_up():
        yield
        return
    if reason := why_not():
        raise UserError(reason)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bestpath-slurm-")))
        _configure(folder, stack)
        if subprocess.run(["munge", "-n"], capture_output=True).returncode != 0:
            _start_munge(folder, stack)
        _start(stack, folder, "slurmctld", "-D")
        _wait(is_up, folder, "slurmctld")
        _start(stack, folder, "slurmd", "-D")
        _wait(lambda: _said("sinfo", "--noheader", "--format=%T").strip() == "idle", folder, "slurmd")
        stack.callback(_end_jobs)
        yield


def _configure(folder: Path, stack: ExitStack) -> None:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10 >> 20
    values = {"host": socket.gethostname().split(".")[0], "cpus": os.cpu_count(), "memory_mb": memory_mb}
    ETC.mkdir(exist_ok=True)
    for name, text in {"slurm.conf": SLURM_CONF, "gres.conf": GRES_CONF}.items():
        (ETC / name).write_text(MARK + text.format(folder=folder, **values))
        stack.callback((ETC / name).unlink)


def _start_munge(folder: Path, stack: ExitStack) -> None:
    run = Path("/run/munge")
    run.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(run, "munge", "munge")
    _start(stack, folder, "munged", "--foreground", user="munge")
    _wait(lambda: subprocess.run(["munge", "-n"], capture_output=True).returncode == 0, folder, "munged")


def _start(stack: ExitStack, folder: Path, name: str, option: str, user: str | None = None) -> None:
    """Start a daemon in the foreground, out of the reach of Ctrl-C; it ends with the stack, or with this process."""
    libc = ctypes.CDLL(None)
    with (folder / f"{name}.out").open("wb") as out:
        daemon = subprocess.Popen(
            [str(tool(name)), option],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )

    def end() -> None:
        daemon.terminate()
        try:
            daemon.wait(_END_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    stack.callback(end)


def _wait(ready: Callable[[], bool], folder: Path, name: str) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():
        if time.monotonic() > deadline:
            said = "".join(path.read_text(errors="replace") for path in sorted(folder.glob(f"{name}.[lo]*")))
            raise UserError(f"{name} did not start; it said: {' / '.join(said.splitlines()[-5:])}")
        time.sleep(0.2)


def _end_jobs() -> None:
    """Cancel the jobs of the cluster, and wait until they have ended."""
    deadline = time.monotonic() + _END_S
    while (jobs := _said("squeue", "--noheader", "--format=%A").split()) and time.monotonic() < deadline:
        subprocess.run(["scancel", *jobs], capture_output=True)
        time.sleep(1)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def run(command: list[str]) -> int:
    """Run a command to its end; when we are interrupted, so is it, and it is waited for."""
    job = subprocess.Popen(command)
    try:
        return job.wait()
    except BaseException:
        job.send_signal(signal.SIGINT)
        try:
            job.wait(_END_S)
        except subprocess.TimeoutExpired:
            job.kill()
        raise


def main() -> None:
    """Run the command that the arguments state on a cluster."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also for the command, when we run in the background
    try:
        with cluster():
            code = run(sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    sys.exit(code)


if __name__ == "__main__":
    main()
