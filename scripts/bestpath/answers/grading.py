"""Grade completions: extract the final answer and compare it with the gold answer.

Most rows are decided at once in the calling process. The rest need symbolic mathematics, which may hang, and
go to worker processes with a deadline; a row that misses it is a `timeout`, and no other row is touched.
"""

from __future__ import annotations

import itertools
import os
import queue
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from types import TracebackType
from typing import cast

from bestpath.answers.choices import Choices
from bestpath.answers.equivalence import PostponedError, UndecidableError, check_gold, equal, loosely_equal
from bestpath.answers.extraction import Extraction, extract
from bestpath.answers.workers import Workers
from bestpath.core.errors import UserError
from bestpath.core.problems import OPEN
from bestpath.core.search import Grade, Verdict

_REMEMBERED = 200_000  # comparisons; samples of one problem repeat few answers

_Pair = tuple[str, str, str, Choices]  # answer, gold, kind, choices
_Decision = tuple[bool, bool] | None  # equal, loosely equal; None: not decided in time

_check_gold = lru_cache(maxsize=65536)(check_gold)


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _verdict(extraction: Extraction, decision: _Decision) -> Verdict:
    if decision is None:
        return Verdict("timeout", extraction.answer, extraction.rule)
    correct, loosely = decision
    return Verdict("correct" if correct else "wrong", extraction.answer, extraction.rule, loosely)


class Grader:
    """Grades `Grade` requests, at once (`grade`) or while the caller goes on (`submit` and `poll`).

    `workers` is the number of worker processes (default: the CPUs this process may use), `timeout_s` the
    CPU time each comparison may take. A verdict depends on its request alone, never on the others or on their
    order, real timeouts excepted. Use it from one thread, and as a context manager: leaving it ends the
    worker processes. They also end if this process is killed.

    Every method raises `UserError` for a gold answer that cannot be graded against (see `check_gold`) and
    when math-verify is not installed.
    """

    def __init__(self, workers: int | None = None, timeout_s: float = 5.0) -> None:
        self._count = workers or _cpus()
        self._timeout_s = timeout_s
        self._workers: Workers | None = None
        self._tickets = itertools.count()
        self._decided: OrderedDict[_Pair, _Decision] = OrderedDict()
        self._waiting: dict[_Pair, list[tuple[int, Extraction]]] = {}
        self._finished: dict[int, Verdict] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker processes. Requests that still wait for one are dropped."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None
        self._waiting.clear()

    def grade(self, requests: Sequence[Grade]) -> list[Verdict]:
        """The verdicts on all requests, in their order; returns when the last one is known."""
        tickets = [self.submit(request) for request in requests]
        for ticket in tickets:
            while ticket not in self._finished:
                self._collect(block=True)
        return [self._finished.pop(ticket) for ticket in tickets]

    def submit(self, request: Grade) -> int:
        """Start grading one request; `poll` returns its verdict under the ticket returned here.

        There is nothing to grade in the kind `open`.
        """
        ticket = next(self._tickets)
        kind = request.kind
        if kind == OPEN:
            self._finished[ticket] = Verdict("ungraded")
            return ticket
        if reason := _check_gold(request.gold, kind, request.choices):
            raise UserError(f"A completion cannot be graded because {reason}; remove or mend that problem.")
        extraction = extract(request.text, kind, request.choices)
        if extraction.answer is None:
            self._finished[ticket] = Verdict("no_answer", None, extraction.rule)
            return ticket
        pair = (extraction.answer, request.gold, kind, request.choices)
        if pair in self._waiting:
            self._waiting[pair].append((ticket, extraction))
        elif pair in self._decided or self._decide(pair):
            self._decided.move_to_end(pair)
            self._finished[ticket] = _verdict(extraction, self._decided[pair])
        else:
            self._waiting[pair] = [(ticket, extraction)]
            self._start_workers().submit(pair, extraction.answer, request.gold)
        return ticket

    def poll(self, timeout_s: float | None = 0.0) -> list[tuple[int, Verdict]]:
        """The verdicts that became known since the last call, with their tickets.

        Waits until there is one, at most `timeout_s` seconds (None: without limit), or until no request waits.
        """
        self._collect(block=not self._finished, timeout_s=timeout_s)
        finished, self._finished = self._finished, {}
        return list(finished.items())

    @property
    def waiting(self) -> int:
        """How many submitted requests have no verdict yet."""
        return sum(map(len, self._waiting.values()))

    def _decide(self, pair: _Pair) -> bool:
        """Decide a comparison in this process, if that is quick."""
        try:
            self._remember(pair, equal(*pair))
        except PostponedError:
            return False
        except UndecidableError:
            self._remember(pair, None)
        return True

    def _remember(self, pair: _Pair, is_equal: bool | None) -> _Decision:
        decision = None if is_equal is None else (is_equal, not is_equal and loosely_equal(*pair))
        self._decided[pair] = decision
        if len(self._decided) > _REMEMBERED:
            self._decided.popitem(last=False)
        return decision

    def _start_workers(self) -> Workers:
        if self._workers is None:
            self._workers = Workers(self._count, self._timeout_s)
        return self._workers

    def _collect(self, block: bool, timeout_s: float | None = None) -> None:
        """Take over what the workers have decided, waiting for the first decision if `block`."""
        while self._workers is not None and self._waiting:
            try:
                key, outcome = self._workers.results.get(block, timeout_s)
            except queue.Empty:
                return
            if isinstance(outcome, Exception):
                raise outcome
            pair = cast(_Pair, key)
            decision = self._remember(pair, outcome)
            for ticket, extraction in self._waiting.pop(pair):
                self._finished[ticket] = _verdict(extraction, decision)
            block = False
