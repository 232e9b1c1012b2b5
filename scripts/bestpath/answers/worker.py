"""One worker process: compares pairs of answers until its pipe closes.

`workers` starts it as `python -m bestpath.answers.worker FILE_DESCRIPTOR PARENT_PID MEMORY_BYTES`. It says
`READY` once, then answers every `(answer, gold)` with whether they are equal, or None when it cannot decide.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from multiprocessing.connection import Connection

READY = "ready"

_PR_SET_PDEATHSIG = 1


def _confine(parent: int, memory: int) -> None:
    """Let the kernel limit this process's memory, and kill it when its parent dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def _compare(answer: str, gold: str) -> bool | None:
    from bestpath.answers.equivalence import equal
    from bestpath.answers.symbolic import symbolically_equal

    try:
        return equal(answer, gold, "math", symbolic=symbolically_equal)
    except MemoryError:
        raise  # what is left of the computation would burden the next rows
    except Exception:  # whatever a parser of arbitrary text may raise: this row stays undecided
        return None


def main() -> None:
    """Serve comparisons. What a comparison raises ends the process; that costs its own row only."""
    descriptor, parent, memory = (int(argument) for argument in sys.argv[1:])
    _confine(parent, memory)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    pipe = Connection(descriptor)
    try:
        import bestpath.answers.symbolic  # noqa: F401
    except ImportError as error:
        pipe.send(str(error))
        return
    pipe.send(READY)
    while True:
        try:
            answer, gold = pipe.recv()
        except EOFError:
            return
        pipe.send(_compare(answer, gold))


if __name__ == "__main__":
    main()
