"""Run a job's command so that nothing of it outlives it, or the Snakemake run that started it."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from bestpath.runtime.descendants import kill_descendants
from bestpath.runtime.program import open_run

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def supervise(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, 128 + n when signal n ended it.

    The command inherits all inheritable descriptors. SIGTERM is passed on to it; Ctrl-C reaches it by itself. When it
    ends, or the run that started this job, or this process, all that it started ends too.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent becomes our child, and is found at the end
    run = open_run()
    job = subprocess.Popen(
        command,
        env=dict(environment),
        close_fds=False,  # it has the locks and the stream of the progress from us
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        job.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ends = select.poll()
    for descriptor in [os.pidfd_open(job.pid), *([] if run is None else [run])]:
        ends.register(descriptor, select.POLLIN)
    ends.poll()
    code = job.poll()
    while _kill_children():
        pass
    if code is None:
        sys.exit("error: the run that started this job has ended")
    return code if code >= 0 else 128 - code


def _kill_children() -> bool:
    """Kill everything below this process and wait for one of its children; whether there was one."""
    kill_descendants(os.getpid())
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        return False
    return True
