"""How every program of scripts/ runs: it tells failures in one sentence, and ends when the run that started it ends."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable

from bestpath.errors import UserError

RUN = "BESTPATH_RUN_PID"
"""The environment variable in which the rules leave the process id of the Snakemake run."""


def run(main: Callable[[], None]) -> None:
    """Run a program's `main`; a `UserError` becomes one line on stderr and exit code 1."""
    _end_with_run()
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _end_with_run() -> None:
    """Die when the Snakemake run dies, however it dies: an orphan would go on writing into the next run's results."""
    if RUN not in os.environ:
        return
    try:
        descriptor = os.pidfd_open(int(os.environ[RUN]))
    except ProcessLookupError:
        sys.exit("error: the run that started this job has ended")

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
