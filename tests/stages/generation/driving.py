"""Scripted partners of the driver, and what a run without it would find."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from bestpath.core.search import Completion, Generate, Grade, Message, Sampling, Score, Scored, Search, Verdict
from bestpath.core.tables import Row
from bestpath.stages.generation.driver import Players, run
from bestpath.stages.generation.engine import Engine, Scorer, engine_error, unscored
from bestpath.stages.generation.engines.scripted import ScriptedEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress


class ScriptedGrader:
    """A text is correct if it contains the gold answer. `choose` shuffles the order of verdicts."""

    def __init__(self, choose: Callable[[int], int] = lambda waiting: 0) -> None:
        self._choose = choose
        self._waiting: list[tuple[int, Verdict]] = []
        self.calls = 0

    def submit(self, request: Grade) -> int:
        self.calls += 1
        outcome = "correct" if request.gold in request.text else "wrong"
        self._waiting.append((self.calls, Verdict(outcome, request.text)))  # type: ignore[arg-type]
        return self.calls

    def poll(self, timeout_s: float) -> list[tuple[int, Verdict]]:
        return [self._waiting.pop(self._choose(len(self._waiting)))] if self._waiting else []


class ScriptedScorer(ScriptedEngine):
    """Scores by a function of the request."""

    def _answer(self, request: Any) -> Any:
        try:
            answer: Any = self._answers(request)  # type: ignore[operator]
        except Exception as error:
            return unscored(engine_error(error))
        return answer if isinstance(answer, Scored) else Scored(answer, 3)


def ask(text: str, seed: int = 0, role: str = "actor") -> Generate:
    return Generate(role, (Message("user", text),), Sampling(0.7), seed)


def echo(request: Generate) -> str:
    """An answer that depends on the request alone."""
    rng = random.Random(f"{request.seed} {request.messages[-1].content}")
    return " ".join(str(rng.randrange(10)) for _ in range(rng.randrange(1, 6)))


def worth(request: Score) -> float:
    """A score that depends on the request alone."""
    return random.Random(f"{request.of} {request.messages}").random()


def drive(
    folder: Path,
    todo: Mapping[str, Callable[[], Search[list[Row]]]],
    engines: Mapping[str, Engine],
    grader: Any = None,
    key: str = "key",
    progress: Progress | None = None,
    scorers: Mapping[str, Scorer] | None = None,
) -> dict[str, list[Row]]:
    with Journal(folder / "journal.jsonl", key) as journal:
        progress = progress or Progress("test", stream=StringIO())
        return run(todo, Players(engines, scorers or {}, grader or ScriptedGrader()), journal, progress)


def by_hand(todo: Mapping[str, Callable[[], Search[list[Row]]]]) -> dict[str, list[Row]]:
    """The results without a driver: one search after another, one request after another."""

    def answer(request: Any) -> Any:
        if isinstance(request, Grade):
            return Verdict("correct" if request.gold in request.text else "wrong", request.text)
        if isinstance(request, Score):
            return Scored(worth(request), 3)
        text = echo(request)
        return Completion(text, len(text.split()) + 1, 1, "stop")

    results = {}
    for problem, start in todo.items():
        search = start()
        requests = next(search)
        while True:
            try:
                requests = search.send([answer(request) for request in requests])
            except StopIteration as end:
                results[problem] = end.value
                break
    return results
