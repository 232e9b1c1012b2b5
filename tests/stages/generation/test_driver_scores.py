"""The driver, with scripted scoring models: scores beside completions and grades, resumption, failures."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Grade, Message, Score, Scored, Search, Verdict
from bestpath.core.tables import Row
from bestpath.stages.generation.engine import unscored
from bestpath.stages.generation.engines.scripted import ScriptedEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress
from tests.stages.generation.driving import ScriptedGrader, ScriptedScorer, ask, by_hand, drive, echo, worth


def refine(problem: str, rounds: int) -> Search[list[Row]]:
    """Rounds of a new attempt, beside which the last one is scored and graded; the better one stays."""
    rows: list[Row] = []
    kept, best = problem, float("-inf")
    for round_ in range(rounds):
        chat = (Message("user", problem), Message("assistant", kept))
        attempt, reward, verdict, likelihood = yield [
            ask(kept, round_),
            Score("reward", chat),
            Grade(kept, "7"),
            Score("actor", chat, "likelihood"),
        ]
        assert isinstance(attempt, Completion) and isinstance(verdict, Verdict)
        assert isinstance(reward, Scored) and isinstance(likelihood, Scored)
        assert reward.value is not None and likelihood.value is not None
        rows.append({"text": kept, "reward": reward.value, "log": likelihood.value, "outcome": verdict.outcome})
        if reward.value > best:
            kept, best = attempt.text, reward.value
    return rows


def refinements(n: int) -> dict[str, Callable[[], Search[list[Row]]]]:
    return {f"p{i}": partial(refine, f"p{i}", 1 + i % 4) for i in range(n)}


@given(seed=st.integers(0, 10**6), capacities=st.tuples(*[st.integers(1, 9)] * 3), shared=st.booleans())
def test_completions_scores_and_grades_may_be_asked_together(
    tmp_path_factory: pytest.TempPathFactory, seed: int, capacities: tuple[int, ...], shared: bool
) -> None:
    rng = random.Random(seed)
    actor = ScriptedEngine(echo, capacities[0], choose=rng.randrange)
    reward, judge = (ScriptedScorer(worth, capacity, choose=rng.randrange) for capacity in capacities[1:])  # type: ignore[arg-type]
    scorers: dict[str, Any] = {"reward": reward, "actor": reward if shared else judge}
    found = drive(
        tmp_path_factory.mktemp("run"), refinements(9), {"actor": actor}, ScriptedGrader(rng.randrange), scorers=scorers
    )
    assert found == by_hand(refinements(9))
    requests = sum(map(len, found.values()))
    assert len(actor.calls) == requests and len(reward.calls) == requests * (2 if shared else 1)


def test_interrupted_runs_score_nothing_finished_anew(tmp_path: Path) -> None:
    def stopping(request: Score) -> float:
        if len(scorer.calls) == 25:
            os.kill(os.getpid(), signal.SIGTERM)
        return worth(request)

    scorer = ScriptedScorer(stopping, capacity=3)  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        roles: dict[str, Any] = dict.fromkeys(("reward", "actor"), scorer)
        drive(tmp_path, refinements(20), {"actor": ScriptedEngine(echo)}, scorers=roles)
    with Journal(tmp_path / "journal.jsonl", "key") as journal:
        finished = dict(journal.finished)
    assert 0 < len(finished) < 20
    assert all(one.usage["actor"].completions == len(one.rows) for one in finished.values()), (
        "scores are no completions"
    )
    second = ScriptedScorer(worth)  # type: ignore[arg-type]
    roles = dict.fromkeys(("reward", "actor"), second)
    found = drive(tmp_path, refinements(20), {"actor": ScriptedEngine(echo)}, scorers=roles)
    assert found == by_hand(refinements(20))
    assert len(second.calls) == sum(2 * len(rows) for problem, rows in found.items() if problem not in finished)


def one_score(problem: str) -> Search[list[Row]]:
    (score,) = yield [Score("reward", (Message("user", "?"), Message("assistant", problem)))]
    assert isinstance(score, Scored)
    return [{"value": score.value, "error": score.error}]


def test_a_failed_score_is_asked_once_more_unless_it_does_not_fit(tmp_path: Path) -> None:
    calls = Counter[str]()

    def unreliable(request: Score) -> Any:
        problem = request.messages[-1].content
        calls[problem] += 1
        if problem == "long":
            return unscored("prompt_too_long", 99)
        if problem == "broken" or calls[problem] == 1:
            raise RuntimeError("gone for a moment")
        return 0.5

    todo = {problem: partial(one_score, problem) for problem in ("fine", "long", "broken")}
    found = drive(tmp_path, todo, {}, scorers={"reward": ScriptedScorer(unreliable)})  # type: ignore[arg-type, dict-item]
    assert found["fine"] == [{"value": 0.5, "error": None}]
    assert found["long"] == [{"value": None, "error": "prompt_too_long"}]
    assert found["broken"] == [{"value": None, "error": "engine_error: RuntimeError: gone for a moment"}]
    assert calls == {"fine": 2, "long": 1, "broken": 2}


def test_a_role_without_a_scoring_model_is_named(tmp_path: Path) -> None:
    scorers: dict[str, Any] = {"judge": ScriptedScorer(worth)}  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"no scoring model is set for the role 'reward' \(.* scoring model: judge\)"):
        drive(tmp_path, {"a": partial(one_score, "a")}, {"reward": ScriptedEngine(echo)}, scorers=scorers)


def test_progress_counts_scores(tmp_path: Path) -> None:
    stream = StringIO()
    progress = Progress("score", tmp_path / "progress.json", stream)
    todo = {str(i): partial(one_score, str(i)) for i in range(7)}
    drive(tmp_path, todo, {}, progress=progress, scorers={"reward": ScriptedScorer(worth)})  # type: ignore[arg-type, dict-item]
    state = json.loads((tmp_path / "progress.json").read_text())
    assert (state["done"], state["scores"], state["generations"], state["tokens"]) == (7, 7, 0, 0)
    assert "7/7 problems, 0 completions, 7 scores" in stream.getvalue()
