"""A run of the real engine that can be told to die: the program that test_resume.py starts, kills and starts again.

    python interrupted_run.py MODEL FOLDER SLOTS KILL_AFTER

dies by SIGKILL at the first completion after KILL_AFTER problems are finished (never for 0). It notes the problem of
every request in FOLDER/asked.txt and writes what it found to FOLDER/found.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

from bestpath.answers.grading import Grader
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Grade, Message, Sampling, Search
from bestpath.core.tables import Row
from bestpath.stages.generation.driver import Players, run
from bestpath.stages.generation.engines.transformers import TransformersEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress

PROBLEMS = [f"how many pears are {i}" for i in range(24)]


def search(problem: str) -> Search[list[Row]]:
    """Rounds of two samples, each going on from the longer one of the last."""
    rows: list[Row] = []
    kept = ""
    for round_ in range(1 + len(problem) % 4):
        seeds = [seed_of(5, problem, round_, i) for i in range(2)]
        chat = (Message("user", problem + kept),)
        answers = yield [Generate("actor", chat, Sampling(0.8, 0.95, max_tokens=50), seed) for seed in seeds]
        texts = [answer.text for answer in answers if isinstance(answer, Completion)]
        verdicts = yield [Grade(text, "7", "integer") for text in texts]
        outcomes = [verdict.outcome for verdict in verdicts]  # type: ignore[union-attr]
        rows.append({"problem_id": problem, "round": round_, "texts": texts, "outcomes": outcomes})
        kept = max(texts, key=len)
    return rows


class Deadly(Progress):
    """Kills its process in the midst of things, once so many problems are finished."""

    def __init__(self, kill_after: int) -> None:
        super().__init__("test")
        self._left = kill_after or len(PROBLEMS) + 1

    def problem_done(self) -> None:
        self._left -= 1

    def generated(self, tokens: int) -> None:
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Noting(TransformersEngine):
    """Notes what it is asked."""

    def __init__(self, model: Path, slots: int, notes: Path) -> None:
        super().__init__(model, slots=slots)
        self._notes = notes

    def submit(self, ticket: int, request: Generate) -> None:
        problem = next(p for p in reversed(PROBLEMS) if request.messages[0].content.startswith(p))
        with self._notes.open("a") as stream:
            stream.write(problem + "\n")
        super().submit(ticket, request)


def main() -> None:
    model, folder, slots, kill_after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    engine = Noting(model, slots, folder / "asked.txt")
    with Grader(1) as grader, Journal(folder / "journal.jsonl", "key") as journal:
        searches = {problem: partial(search, problem) for problem in PROBLEMS}
        found = run(searches, Players({"actor": engine}, grader=grader), journal, Deadly(kill_after))
        (folder / "found.json").write_text(json.dumps([found, journal.resumed_problems]))


if __name__ == "__main__":
    main()
