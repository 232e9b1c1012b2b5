"""Worker processes for comparisons that may hang: each has a deadline, and a late one is killed.

A comparison's time is the CPU time that its process spends on it: what else the machine does changes no verdict.

Every worker process belongs to a thread of its own that hands it one pair after the other, so the caller
never waits, and a slow pair holds up nothing but its own worker. Processes are started afresh, not forked:
that is safe beside torch, and needs no `__main__` guard in the caller. They die with their parent.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Hashable
from multiprocessing import Pipe
from pathlib import Path
from typing import cast

import psutil

from bestpath.answers.worker import READY
from bestpath.core.errors import UserError

_MEMORY = 2 << 30  # bytes of address space; an explosive comparison fails before it hurts the machine
_STALLED = 30  # a process that waits for something is given up after so many times its deadline
_START_S = 600.0  # importing sympy from a cold network disk can take long
_LIBRARY = str(Path(__file__).resolve().parents[2])


class _LostError(Exception):
    """The worker died or missed its deadline."""


class _Process:
    """One worker process."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        search_path = os.pathsep.join(filter(None, [_LIBRARY, os.environ.get("PYTHONPATH")]))
        # A fixed hash seed: sympy's choices among equivalent forms may depend on the order of sets.
        settings = {"PYTHONPATH": search_path, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
        arguments = [str(theirs.fileno()), str(os.getpid()), str(_MEMORY)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bestpath.answers.worker", *arguments],
            env={**os.environ, **settings},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def _receive(self, timeout_s: float) -> object:
        try:
            if self._pipe.poll(timeout_s):
                return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise _LostError from error
        raise _LostError

    def _wait_until_ready(self) -> None:
        try:
            said = self._receive(_START_S)
        except _LostError:
            said = f"exit code {self._process.poll()}"
        if said != READY:
            raise UserError(
                f"The process that compares answers symbolically did not start ({said}); "
                "check that math-verify is installed in this environment."
            )
        self._ready = True

    def compare(self, answer: str, gold: str, timeout_s: float) -> bool | None:
        """Raises `_LostError` if the process died or missed the deadline, `UserError` if it never started."""
        if not self._ready:
            self._wait_until_ready()
        try:
            self._pipe.send((answer, gold))
        except OSError as error:
            raise _LostError from error
        started, give_up = self._cpu_s(), time.monotonic() + _STALLED * timeout_s
        while (left := started + timeout_s - self._cpu_s()) > 0 and time.monotonic() < give_up:
            if self._pipe.poll(max(left, 0.01)):
                break
        return cast("bool | None", self._receive(0.0))

    def _cpu_s(self) -> float:
        """The CPU time that the process has used, in seconds. Raises `_LostError` if it has ended."""
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess as error:
            raise _LostError from error
        return float(times.user + times.system)

    def kill(self) -> None:
        self._process.kill()

    def discard(self) -> None:
        self.kill()
        self._process.wait()
        self._pipe.close()


Outcome = bool | Exception | None  # None: not decided in time, or the worker crashed


class Workers:
    """`count` worker processes, each started when first needed.

    `results` receives `(key, outcome)` for every `submit(key, answer, gold)`, in order of completion. An outcome is
    an exception when no worker could be started.
    """

    def __init__(self, count: int, timeout_s: float) -> None:
        self.results: queue.SimpleQueue[tuple[Hashable, Outcome]] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[Hashable, str, str] | None] = queue.SimpleQueue()
        self._timeout_s = timeout_s
        self._closing = False
        self._processes: dict[int, _Process] = {}
        # The kernel kills a worker when the thread that started it ends, so these threads live until `close`.
        self._threads = [threading.Thread(target=self._serve, args=(slot,), daemon=True) for slot in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, key: Hashable, answer: str, gold: str) -> None:
        self._jobs.put((key, answer, gold))

    def close(self) -> None:
        """Kill the processes; what was not compared yet never will be."""
        self._closing = True
        for process in list(self._processes.values()):
            process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self, slot: int) -> None:
        while (job := self._jobs.get()) is not None and not self._closing:
            key, answer, gold = job
            self.results.put((key, self._compare(slot, answer, gold)))
        self._discard(slot)

    def _compare(self, slot: int, answer: str, gold: str) -> Outcome:
        try:
            process = self._processes.get(slot)
            if process is None or not process.alive:
                self._discard(slot)
                process = self._processes[slot] = _Process()
            if self._closing:
                process.kill()
            return process.compare(answer, gold, self._timeout_s)
        except _LostError:
            self._discard(slot)
            return None
        except Exception as error:  # the caller raises it: a thread that died of it would leave the row waiting
            return error

    def _discard(self, slot: int) -> None:
        if process := self._processes.pop(slot, None):
            process.discard()
