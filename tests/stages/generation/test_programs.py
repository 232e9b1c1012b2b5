"""Searches whose answers are programs: written by a model, run in the sandbox, graded by what they print."""

from __future__ import annotations

from functools import partial
from io import StringIO
from pathlib import Path

import pytest

from bestpath.answers.grading import Grader
from bestpath.answers.programs import answer_of
from bestpath.answers.sandbox import Limits, Sandbox
from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Grade, Message, Ran, Run, Sampling, Search, Verdict
from bestpath.core.tables import Row
from bestpath.stages.generation import driver
from bestpath.stages.generation.engines.scripted import ScriptedEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress


def solve(number: int) -> Search[list[Row]]:
    """Have a program written, run it, and grade what it prints."""
    [written] = yield [Generate("actor", (Message("user", str(number)),), Sampling(), seed=number)]
    assert isinstance(written, Completion)
    [ran] = yield [Run(written.text)]
    assert isinstance(ran, Ran)
    [verdict] = yield [Grade(f"The answer is {answer_of(ran)}", str(2 * number), "number")]
    assert isinstance(verdict, Verdict)
    return [{"status": ran.status, "verdict": verdict.outcome}]


def write(request: Generate) -> str:
    """Doubles the number; the third program is wrong, the fourth breaks off, the fifth never ends."""
    number = int(request.messages[0].content)
    special = {3: "print(1)", 4: "1 / 0", 5: "while True: pass"}
    return f"```python\n{special.get(number, f'print(2 * {number})')}\n```"


def run(folder: Path, sandbox: Sandbox | None) -> dict[str, list[Row]]:
    searches = {f"p{i}": partial(solve, i) for i in range(6)}
    with Journal(folder / "journal.jsonl", "key") as journal, Grader() as grader:
        progress = Progress("test", stream=StringIO())
        players = driver.Players({"actor": ScriptedEngine(write)}, grader=grader, runner=sandbox)
        return driver.run(searches, players, journal, progress)


@pytest.mark.needs("isolation")
def test_programs_are_run_while_the_searches_go_on(tmp_path: Path) -> None:
    with Sandbox(2, Limits(cpu_s=2)) as sandbox:
        found = run(tmp_path, sandbox)
    assert [row["verdict"] for [row] in found.values()] == ["correct"] * 3 + ["wrong", "no_answer", "no_answer"]
    assert [row["status"] for [row] in found.values()] == ["ok"] * 4 + ["error", "timeout"]


def test_a_job_without_a_sandbox_runs_no_program(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no sandbox"):
        run(tmp_path, None)
