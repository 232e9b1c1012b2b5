"""Several copies of an engine, each in a process and on devices of its own, behind the interface of one."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any
from zlib import crc32

from bestpath.core.errors import UserError
from bestpath.core.search import Generate, Score
from bestpath.stages.generation.engine import Answering

Opener = Callable[..., Answering[Any, Any]]


@dataclass(eq=False)
class _Copy:
    """One process: how many requests it takes at once, and how many it works on."""

    process: BaseProcess
    pipe: Connection
    capacity: int = 0
    in_flight: int = 0


class Replicas(Answering[Any, Any]):
    """Opens one engine a group of devices (values of CUDA_VISIBLE_DEVICES) and shares the requests out among them.

    Requests that begin with the same message go to the same copy, whose cache knows it, unless that one is full.
    """

    def __init__(self, groups: Sequence[str], opener: Opener, *arguments: Any, **settings: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._copies: list[_Copy] = []
        for devices in groups:
            ours, theirs = context.Pipe()
            environment = {"CUDA_VISIBLE_DEVICES": devices}
            process = context.Process(
                target=_work, args=(theirs, environment, opener, arguments, settings), daemon=True
            )
            process.start()
            theirs.close()
            self._copies.append(_Copy(process, ours))
        for copy in self._copies:
            copy.capacity = self._receive(copy)
        super().__init__(sum(copy.capacity for copy in self._copies))

    def submit(self, ticket: int, request: Generate | Score) -> None:
        """Hand a request to a copy that has room."""
        favourite = self._copies[crc32(request.messages[0].content.encode()) % len(self._copies)]
        idlest = min(self._copies, key=lambda copy: copy.in_flight - copy.capacity)
        copy = favourite if favourite.in_flight < favourite.capacity else idlest
        copy.in_flight += 1
        self._requests[ticket] = request
        with suppress(OSError):  # if it has died, `step` finds out
            copy.pipe.send((ticket, request))

    def step(self, timeout: float = 0.0) -> list[tuple[int, Any]]:
        """What has been answered; waits at most `timeout` seconds for the first answer.

        Raises UserError with the sentence of a copy that could not go on.
        """
        answered = []
        busy = {copy.pipe: copy for copy in self._copies if copy.in_flight}
        for pipe in wait(busy, timeout):
            copy = busy[pipe]  # type: ignore[index]
            for ticket, answer in self._receive(copy):
                del self._requests[ticket]
                copy.in_flight -= 1
                answered.append((ticket, answer))
        return answered

    def close(self) -> None:
        """End all copies."""
        for copy in self._copies:
            copy.pipe.close()
        for copy in self._copies:
            copy.process.join(30)
            copy.process.kill()

    def _receive(self, copy: _Copy) -> Any:
        try:
            message = copy.pipe.recv()
        except (EOFError, OSError):
            copy.process.join(10)
            raise UserError(
                f"a copy of the engine ended (exit code {copy.process.exitcode}); see the log above, and whether the "
                "memory of its device suffices: finished problems are kept"
            ) from None
        if isinstance(message, UserError):
            raise message
        return message


def _work(
    pipe: Connection,
    environment: Mapping[str, str],
    opener: Opener,
    arguments: Sequence[Any],
    settings: Mapping[str, Any],
) -> None:
    """A copy's process: opens the engine, then answers until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the first process decides
    os.environ.update(environment)
    engine: Answering[Any, Any] | None = None
    try:
        engine = opener(*arguments, **settings)
        pipe.send(engine.capacity)
        while True:
            while pipe.poll(0) or not engine.in_flight:
                engine.submit(*pipe.recv())
            if answered := engine.step(0.2):
                pipe.send(answered)
    except UserError as error:
        pipe.send(error)
    except (EOFError, OSError):
        pass  # the other side has closed the pipe or died
    finally:
        if engine:
            engine.close()
