"""Runs many searches at once and keeps the engines full.

Whichever search is ready hands in its requests; an answer goes to its search at once, and what the search asks next
joins the queue. There are no rounds and no barriers. What a search finds depends on its own answers alone, so the
order of events changes nothing in the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Grade, Ran, Request, Result, Run, Score, Scored, Search, Verdict
from bestpath.core.tables import Row
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, Answering, Engine, Scorer
from bestpath.stages.generation.journal import Finished, Journal, Usage
from bestpath.stages.generation.progress import Progress
from bestpath.stages.generation.stopping import stop_requests

_WAIT_S = 0.2  # for the only source of answers
_GLANCE_S = 0.005  # when there are several
_FAILURES_IN_A_ROW = 32
_LACKING: dict[type, str] = {
    Grade: "a grade, but this job has no grader",
    Run: "a program to be run, but this job has no sandbox",
}

Start = Callable[[], Search[list[Row]]]

Asked = TypeVar("Asked", contravariant=True)
Told = TypeVar("Told", covariant=True)


class Desk(Protocol[Asked, Told]):
    """Answers requests that no model answers, while the driver goes on."""

    def submit(self, request: Asked) -> int:
        """Take a request and return its ticket. Does not wait."""
        ...

    def poll(self, timeout_s: float) -> Sequence[tuple[int, Told]]:
        """The answers known now; waits at most `timeout_s` seconds for the first."""
        ...


Grader = Desk[Grade, Verdict]
"""Gives verdicts; see `answers.grading`."""

Runner = Desk[Run, Ran]
"""Runs programs; see `answers.sandbox`."""


@dataclass(frozen=True)
class Players:
    """Who answers the requests of searches.

    `engines` maps a role to the engine that plays it (one engine may play several), and so do `scorers` for `Score`
    requests. Without a grader nothing can be graded, and without a runner no program be run.
    """

    engines: Mapping[str, Engine] = field(default_factory=dict)
    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    grader: Grader | None = None
    runner: Runner | None = None


def run(searches: Mapping[str, Start], players: Players, journal: Journal, progress: Progress) -> dict[str, list[Row]]:
    """Run every search that the journal does not hold yet, and return the rows of all, by problem.

    `searches` maps a problem to a function that starts its search. A failed request is asked once more before its
    search learns of the failure.

    Ctrl-C and SIGTERM end the run between two steps, with all finished problems in the journal; the exceptions are
    KeyboardInterrupt and SystemExit. Raises UserError for a request that no player answers and for an engine that only
    fails, and SearchError when a search itself raises.
    """
    todo = {problem: start for problem, start in searches.items() if problem not in journal.finished}
    progress.start(total=len(searches), resumed=len(searches) - len(todo))
    try:
        with stop_requests() as check_stop:
            _Driver(todo, players, journal, progress, check_stop).to_end()
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
    usage: dict[str, Usage] = field(default_factory=dict)
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


@dataclass(eq=False)
class _Counter:
    """A desk, and whom its answers are for, by ticket."""

    desk: Desk[Any, Any]
    asked: dict[int, tuple[_Live, int]] = field(default_factory=dict)


class _Driver:
    def __init__(
        self,
        todo: Mapping[str, Start],
        players: Players,
        journal: Journal,
        progress: Progress,
        check_stop: Callable[[], None],
    ) -> None:
        self._pending = deque(todo.items())
        by_request: dict[tuple[type, str], Answering[Any, Any]] = {
            **{(Generate, role): engine for role, engine in players.engines.items()},
            **{(Score, role): scorer for role, scorer in players.scorers.items()},
        }
        queues = {id(player): _Queue(player) for player in by_request.values()}
        self._queues = list(queues.values())
        self._queue_of = {key: queues[id(player)] for key, player in by_request.items()}
        desks: dict[type, Desk[Any, Any] | None] = {Grade: players.grader, Run: players.runner}
        self._counters = {kind: _Counter(desk) for kind, desk in desks.items() if desk is not None}
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
            at_work = [counter for counter in self._counters.values() if counter.asked]
            if self._live and not busy and not at_work:
                raise RuntimeError(f"{self._live} searches wait for answers that nobody owes them")
            only = len(busy) + len(at_work) == 1
            for queue in busy:
                for ticket, answer in queue.engine.step(_WAIT_S if only else _GLANCE_S):
                    self._answered(queue, queue.asked.pop(ticket), answer)
            patience = 0.0 if busy else _WAIT_S if only else _GLANCE_S  # not at all while an engine works
            for counter in self._counters.values():
                if counter.asked:
                    for ticket, told in counter.desk.poll(patience):
                        self._deliver(*counter.asked.pop(ticket), told)
        self._record_doubtful()

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
        if isinstance(request, Grade | Run):
            if type(request) not in self._counters:
                raise UserError(f"a search asks for {_LACKING[type(request)]}; open one for it")
            counter = self._counters[type(request)]
            counter.asked[counter.desk.submit(request)] = (live, index)
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
            role, usage = asked.request.role, asked.live.usage
            usage[role] = usage.get(role, Usage()) + Usage(1, answer.n_tokens)
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
        finished = Finished(rows, live.usage)
        if live.met_failure:
            self._doubtful.append((live.problem, finished))
        else:
            self._journal.add(live.problem, finished)
        self._live -= 1
        self._progress.problem_done()

    def _record_doubtful(self) -> None:
        while self._doubtful:
            self._journal.add(*self._doubtful.pop())
