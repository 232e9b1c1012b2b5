"""How every program of scripts/ runs: it tells failures in one sentence, and ends when the run that started it ends."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from bestpath.core.errors import UserError
from bestpath.runtime.descendants import kill_descendants

RUN = "BESTPATH_RUN_PID"
"""The environment variable in which the rules leave the process id of the Snakemake run."""


def run(main: Callable[[], None]) -> None:
    """Run a program's `main`; a `UserError` becomes one line on stderr and exit code 1, Ctrl-C one and 130."""
    # importing torch makes many objects and frees none: by default a seventh of its time goes into looking for garbage
    gc.set_threshold(100_000, 20, 100)
    _end_with_run()
    try:
        main()
    except UserError as error:
        _tell(f"error: {error}")
        sys.exit(1)
    except (KeyboardInterrupt, Exception) as error:
        if not _is_interrupt(error):
            raise
        _tell("stopped by Ctrl-C; run the same again to go on")
        sys.exit(130)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether an error comes from Ctrl-C, which within an import appears as an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _tell(sentence: str) -> None:
    """Say it on stderr, the job's log, or where progress is shown if the log cannot be written (on a full disk)."""
    for descriptor in ("2", os.environ.get("BESTPATH_PROGRESS_FD", "")):
        with suppress(OSError, ValueError):
            os.write(int(descriptor), f"{sentence}\n".encode())
            return


def open_run() -> int | None:
    """A descriptor that becomes readable when the Snakemake run ends; None outside of a run."""
    if RUN not in os.environ:
        return None
    try:
        return os.pidfd_open(int(os.environ[RUN]))
    except ProcessLookupError:
        sys.exit("error: the run that started this job has ended")


def _end_with_run() -> None:
    """Die with all that we started when the Snakemake run dies, or orphans would go on writing into the next run's
    results.
    """
    if (descriptor := open_run()) is None:
        return

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
        kill_descendants(os.getpid())
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
