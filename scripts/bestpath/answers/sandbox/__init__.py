"""Runs programs that a model has written, isolated from everything (docs/sandbox.md).

Results are kept by the program's text, since samples of one problem repeat each other.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import queue
import threading
from collections.abc import Sequence
from types import TracebackType

from bestpath.answers.programs import answer_of, program_of
from bestpath.answers.sandbox.isolation import LEVELS, Level, Limits, missing, none_works, unfit
from bestpath.answers.sandbox.process import run_program
from bestpath.core.search import Ran, Run

__all__ = ["Level", "Limits", "Sandbox"]


class Sandbox:
    """A pool that runs programs, each isolated at the best level that this machine offers, `min_level` or above.

    `workers` programs run at once (default: the CPUs this process may use). Use it from one thread, and as a context
    manager. Raises UserError when no allowed level keeps a trial program in, which is found out before anything is
    generated.
    """

    def __init__(
        self, workers: int | None = None, limits: Limits | None = None, min_level: Level = "namespace"
    ) -> None:
        self.limits = limits or Limits()
        self.level = best_level(min_level)
        self._tickets = itertools.count()
        self._jobs: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[str, Ran]] = queue.SimpleQueue()
        self._known: dict[str, Ran] = {}
        self._waiting: dict[str, list[int]] = {}
        self._finished: dict[int, Ran] = {}
        count = workers or len(os.sched_getaffinity(0))
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the programs that run come to their end, and start no more."""
        while not self._jobs.empty():
            self._jobs.get()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def submit(self, request: Run) -> int:
        """Take a program and return its ticket. Does not wait."""
        ticket = next(self._tickets)
        text = program_of(request.program)
        key = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        if key in self._known:
            self._finished[ticket] = self._known[key]
        elif key in self._waiting:
            self._waiting[key].append(ticket)
        else:
            self._waiting[key] = [ticket]
            self._jobs.put((key, text))
        return ticket

    def poll(self, timeout_s: float | None = 0.0) -> list[tuple[int, Ran]]:
        """What ended since the last call, with its tickets; waits at most `timeout_s` seconds for the first."""
        block = not self._finished and bool(self._waiting)
        while self._waiting:
            try:
                key, ran = self._ended.get(block, timeout_s)
            except queue.Empty:
                break
            self._known[key] = ran
            self._finished.update(dict.fromkeys(self._waiting.pop(key), ran))
            block = False
        finished, self._finished = self._finished, {}
        return list(finished.items())

    def run(self, programs: Sequence[str]) -> list[Ran]:
        """The results of all programs, in their order."""
        tickets = [self.submit(Run(program)) for program in programs]
        found: dict[int, Ran] = {}
        while len(found) < len(tickets):
            found.update(self.poll(None))
        return [found[ticket] for ticket in tickets]

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            key, text = job
            self._ended.put((key, run_program(text, self.level, self.limits)))


def best_level(min_level: Level) -> Level:
    """The strongest level that holds a trial program, not below `min_level`. Raises UserError if none does."""
    allowed = LEVELS[: max(LEVELS.index(min_level), LEVELS.index("namespace")) + 1]
    reasons = []
    for level in allowed:
        fault = unfit(level) or missing(level) or _fault(level)
        if fault is None:
            return level
        reasons.append(f"{level}: {fault}")
    raise none_works(allowed, reasons)


_TRIAL_PROGRAM = """
import os, socket, sys
found = []
for path in ("{secret}", "/etc/shadow", "/etc/passwd"):
    if os.path.exists(path):
        found.append("sees " + path)
for path in ("/", "/usr", "{folder}"):
    try:
        open(os.path.join(path, "bestpath-trial"), "w").close()
        found.append("writes to " + path)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=1)
    found.append("has a network")
except OSError:
    pass
if "BESTPATH_TRIAL" in os.environ:
    found.append("has our environment")
if os.path.exists("/proc/{pid}"):
    found.append("sees our processes")
print("; ".join(found) or "kept in")
"""


def _fault(level: Level) -> str | None:
    """What a trial program could do at a level that it must not; None if it was kept in."""
    if level == "rlimit":
        return None
    import socket
    import tempfile

    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.NamedTemporaryFile(suffix="-secret") as secret:
        text = _TRIAL_PROGRAM.format(
            secret=secret.name, folder=os.path.dirname(secret.name), port=server.getsockname()[1], pid=os.getpid()
        )
        ran = run_program(text, level, Limits())
    said = answer_of(ran)
    return None if said == "kept in" else said or ran.error or f"a trial program ended with {ran.status}"
