"""Runs many searches at once and keeps the engines full.

Whichever search is ready hands in its requests; an answer goes to its search at once, and what the search asks next
joins the queue. There are no rounds and no barriers. What a search finds depends on its own answers alone, so the
order of events changes nothing in the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Grade, Ran, Request, Result, Run, Score, Scored, Search, Verdict
from bestpath.core.tables import Row
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, Answering, Engine, Scorer
from bestpath.stages.generation.journal import Finished, Journal
from bestpath.stages.generation.progress import Progress
from bestpath.stages.generation.stopping import stop_requests

_WAIT_S = 0.2  # for the only source of answers
_GLANCE_S = 0.005  # when there are several
_FAILURES_IN_A_ROW = 32

Start = Callable[[], Search[list[Row]]]


class Grader(Protocol):
    """Gives verdicts while the driver goes on; see `answers.grading`."""

    def submit(self, request: Grade) -> int:
        """Take a request and return its ticket. Does not wait."""
        ...

    def poll(self, timeout_s: float) -> list[tuple[int, Verdict]]:
        """The verdicts known now; waits at most `timeout_s` seconds for the first."""
        ...


class Runner(Protocol):
    """Runs programs while the driver goes on; see `answers.sandbox`."""

    def submit(self, request: Run) -> int:
        """Take a program and return its ticket. Does not wait."""
        ...

    def poll(self, timeout_s: float) -> list[tuple[int, Ran]]:
        """What ended; waits at most `timeout_s` seconds for the first."""
        ...


def run(
    searches: Mapping[str, Start],
    engines: Mapping[str, Engine],
    grader: Grader,
    journal: Journal,
    progress: Progress,
    scorers: Mapping[str, Scorer] | None = None,
    runner: Runner | None = None,
) -> dict[str, list[Row]]:
    """Run every search that the journal does not hold yet, and return the rows of all, by problem.

    `searches` maps a problem to a function that starts its search; `engines` maps a role to the engine that plays it
    (one engine may play several), and so do `scorers` for `Score` requests; `runner` runs programs. A failed request is
    asked once more before its search learns of the failure.

    Ctrl-C and SIGTERM end the run between two steps, with all finished problems in the journal; the exceptions are
    KeyboardInterrupt and SystemExit. Raises UserError for a role that no engine plays and for an engine that only
    fails, and SearchError when a search itself raises.
    """
    todo = {problem: start for problem, start in searches.items() if problem not in journal.finished}
    progress.start(total=len(searches), resumed=len(searches) - len(todo))
    try:
        with stop_requests() as check_stop:
            _Driver(todo, engines, scorers or {}, grader, runner, journal, progress, check_stop).to_end()
    finally:
        progress.close()
    return {problem: journal.finished[problem].rows for problem in searches}


class SearchError(RuntimeError):
    """A search raised an exception: a mistake in the method, not in the data or the engine."""


@dataclass(eq=False)
class _Live:
    """A search under way, and the answers it waits for."""

    problem: str
    search: Search[list[Row]]
    results: list[Result | None] = field(default_factory=list)
    missing: int = 0
    generations: int = 0
    tokens: int = 0
    met_failure: bool = False


@dataclass(frozen=True, eq=False)
class _Asked:
    """A request of a search: where its answer belongs."""

    live: _Live
    index: int
    request: Generate | Score
    is_retry: bool = False


@dataclass(eq=False)
class _Queue:
    """An engine, the requests it works on and those that wait for it."""

    engine: Answering[Any, Any]
    waiting: deque[_Asked] = field(default_factory=deque)
    asked: dict[int, _Asked] = field(default_factory=dict)
    failures: int = 0

    @property
    def has_room(self) -> bool:
        return self.engine.in_flight < self.engine.capacity


class _Driver:
    def __init__(
        self,
        todo: Mapping[str, Start],
        engines: Mapping[str, Engine],
        scorers: Mapping[str, Scorer],
        grader: Grader,
        runner: Runner | None,
        journal: Journal,
        progress: Progress,
        check_stop: Callable[[], None],
    ) -> None:
        self._pending = deque(todo.items())
        players: dict[tuple[type, str], Answering[Any, Any]] = {
            **{(Generate, role): engine for role, engine in engines.items()},
            **{(Score, role): scorer for role, scorer in scorers.items()},
        }
        queues = {id(player): _Queue(player) for player in players.values()}
        self._queues = list(queues.values())
        self._queue_of = {key: queues[id(player)] for key, player in players.items()}
        self._grader = grader
        self._grading: dict[int, tuple[_Live, int]] = {}
        self._runner = runner
        self._running: dict[int, tuple[_Live, int]] = {}
        self._journal = journal
        self._progress = progress
        self._check_stop = check_stop
        self._live = 0
        self._doubtful: list[tuple[str, Finished]] = []
        # Enough that every engine stays full while other searches wait for theirs or for verdicts.
        self._most_live = 2 * sum(queue.engine.capacity for queue in self._queues) + 16
        self._ticket = 0

    def to_end(self) -> None:
        while self._pending or self._live:
            self._check_stop()
            self._feed()
            busy = [queue for queue in self._queues if queue.engine.in_flight]
            if self._live and not busy and not self._grading and not self._running:
                raise RuntimeError(f"{self._live} searches wait for answers that nobody owes them")
            only = len(busy) + bool(self._grading) + bool(self._running) == 1
            for queue in busy:
                for ticket, answer in queue.engine.step(_WAIT_S if only else _GLANCE_S):
                    self._answered(queue, queue.asked.pop(ticket), answer)
            if self._grading:
                for ticket, verdict in self._grader.poll(self._patience(busy, only)):
                    self._deliver(*self._grading.pop(ticket), verdict)
            if self._running and self._runner:
                for ticket, ran in self._runner.poll(self._patience(busy, only)):
                    self._deliver(*self._running.pop(ticket), ran)
        self._record_doubtful()

    @staticmethod
    def _patience(busy: list[_Queue], only: bool) -> float:
        """How long to wait for a verdict or a program: not at all while an engine works."""
        return 0.0 if busy else _WAIT_S if only else _GLANCE_S

    def _feed(self) -> None:
        """Start as many searches as may live at once, and fill the engines.

        They start before the engines need them: of searches that take turns the long ones end together, whereas one
        that begins last works on alone when all others are done.
        """
        while self._pending and self._live < self._most_live:
            problem, start = self._pending.popleft()
            self._live += 1
            self._advance(_Live(problem, start()), first=True)
        self._submit()

    def _submit(self) -> None:
        for queue in self._queues:
            while queue.waiting and queue.has_room:
                asked = queue.waiting.popleft()
                self._ticket += 1
                queue.asked[self._ticket] = asked
                queue.engine.submit(self._ticket, asked.request)

    def _advance(self, live: _Live, first: bool = False) -> None:
        """Let a search go on until it waits for an answer or ends."""
        while True:
            try:
                requests = next(live.search) if first else live.search.send(live.results)  # type: ignore[arg-type]
            except StopIteration as end:
                self._finish(live, end.value)
                return
            except UserError:
                raise
            except Exception as error:
                raise SearchError(f"the search for problem {live.problem} failed: {error!r}") from error
            first = False
            live.results = [None] * len(requests)
            live.missing = len(requests)
            for index, request in enumerate(requests):
                self._ask(live, index, request)
            if live.missing:
                return

    def _ask(self, live: _Live, index: int, request: Request) -> None:
        if isinstance(request, Grade):
            self._grading[self._grader.submit(request)] = (live, index)
        elif isinstance(request, Run):
            if self._runner is None:
                raise UserError("a search asks for a program to be run, but this job has no sandbox; open one for it")
            self._running[self._runner.submit(request)] = (live, index)
        elif queue := self._queue_of.get((type(request), request.role)):
            queue.waiting.append(_Asked(live, index, request))
        else:
            model = "scoring model" if isinstance(request, Score) else "model"
            roles = ", ".join(sorted(role for kind, role in self._queue_of if kind is type(request))) or "none"
            raise UserError(f"no {model} is set for the role '{request.role}' (roles with a {model}: {roles}); set one")

    def _answered(self, queue: _Queue, asked: _Asked, answer: Completion | Scored) -> None:
        if answer.error is not None and answer.error != PROMPT_TOO_LONG:
            queue.failures += 1
            if queue.failures >= _FAILURES_IN_A_ROW + queue.engine.capacity:
                raise UserError(
                    f"the engine of role '{asked.request.role}' failed {queue.failures} times in a row, at last with "
                    f"'{answer.error}'; mend the cause and start again: finished problems are kept"
                )
            if not asked.is_retry:
                queue.waiting.append(_Asked(asked.live, asked.index, asked.request, is_retry=True))
                return
            asked.live.met_failure = True
        else:
            queue.failures = 0
            if not any(other.failures for other in self._queues):
                self._record_doubtful()
        if isinstance(answer, Completion):
            asked.live.generations += 1
            asked.live.tokens += answer.n_tokens
            self._progress.generated(answer.n_tokens)
        else:
            self._progress.scored()
        self._deliver(asked.live, asked.index, answer)

    def _deliver(self, live: _Live, index: int, result: Result) -> None:
        live.results[index] = result
        live.missing -= 1
        if not live.missing:
            self._advance(live)

    def _finish(self, live: _Live, rows: list[Row]) -> None:
        """Record what a search found; after a failure only once it is known that the engine is not broken for good."""
        finished = Finished(rows, live.generations, live.tokens)
        if live.met_failure:
            self._doubtful.append((live.problem, finished))
        else:
            self._journal.add(live.problem, finished)
        self._live -= 1
        self._progress.problem_done()

    def _record_doubtful(self) -> None:
        while self._doubtful:
            self._journal.add(*self._doubtful.pop())
