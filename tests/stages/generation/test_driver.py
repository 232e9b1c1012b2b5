"""The driver, with scripted engines: order, resumption, failures."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.errors import UserError
from bestpath.records import Row
from bestpath.search import Completion, Generate, Grade, Message, Sampling, Score, Scored, Search, Verdict
from bestpath.stages.generation.driver import SearchError, run
from bestpath.stages.generation.engine import Engine, Scorer, engine_error, failed, unscored
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


def explore(problem: str, rounds: int) -> Search[list[Row]]:
    """Two attempts a round, their grades, then on from the first one."""
    rows: list[Row] = []
    prefix = problem
    for round_ in range(rounds):
        first, second = yield [ask(prefix, 2 * round_), ask(prefix, 2 * round_ + 1, role="critic")]
        assert isinstance(first, Completion) and isinstance(second, Completion)
        verdicts = yield [Grade(first.text, "7"), Grade(second.text, "7")]
        rows.append({"problem_id": problem, "round": round_, "texts": [first.text, second.text]})
        rows[-1]["outcomes"] = [verdict.outcome for verdict in verdicts]  # type: ignore[union-attr]
        if rows[-1]["outcomes"] == ["correct", "correct"]:
            break
        prefix += first.text
    return rows


def searches(n: int) -> dict[str, Callable[[], Search[list[Row]]]]:
    return {f"p{i}": partial(explore, f"p{i}", 1 + i % 4) for i in range(n)}


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
        return run(todo, engines, grader or ScriptedGrader(), journal, progress, scorers)


def both(engine: Engine) -> dict[str, Engine]:
    return {"actor": engine, "critic": engine}


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


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 12),
    capacities=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    shared=st.booleans(),
)
def test_results_do_not_depend_on_the_order_of_readiness(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, capacities: tuple[int, int], shared: bool
) -> None:
    rng = random.Random(seed)
    actor, critic = (ScriptedEngine(echo, capacity, choose=rng.randrange) for capacity in capacities)
    engines = both(actor) if shared else {"actor": actor, "critic": critic}
    todo = searches(n)
    order = list(todo)
    rng.shuffle(order)
    found = drive(tmp_path_factory.mktemp("run"), {p: todo[p] for p in order}, engines, ScriptedGrader(rng.randrange))
    assert found == by_hand(todo)
    assert list(found) == order


def test_interrupted_runs_find_the_same_and_generate_nothing_finished_anew(tmp_path: Path) -> None:
    expected = by_hand(searches(20))
    asked: Counter[str] = Counter()
    finished: set[str] = set()
    after = iter((7, 31, 50, None))
    while (left := next(after)) is not None:
        engine = ScriptedEngine(stopping_after(left), capacity=5)
        with pytest.raises(SystemExit) as stopped:
            drive(tmp_path, searches(20), both(engine))
        assert stopped.value.code == 128 + signal.SIGTERM
        assert not problems_of(engine) & finished
        asked.update(problems_of(engine))
        with Journal(tmp_path / "journal.jsonl", "key") as journal:
            assert journal.resumed_problems >= len(finished)
            finished = set(journal.finished)
            assert journal.resumed_generations == sum(2 * len(expected[p]) for p in finished)
    assert 0 < len(finished) < 20
    engine = ScriptedEngine(echo, capacity=5)
    assert drive(tmp_path, searches(20), both(engine)) == expected
    assert not problems_of(engine) & finished
    assert len(engine.calls) == sum(2 * len(expected[p]) for p in expected.keys() - finished)
    # And once more: everything is there.
    idle = ScriptedEngine(echo)
    assert drive(tmp_path, searches(20), both(idle)) == expected
    assert not idle.calls


def problems_of(engine: ScriptedEngine) -> set[str]:
    """The problems that an engine was asked about: a prompt begins with `p` and the problem's number."""
    known = sorted((f"p{i}" for i in range(20)), key=len, reverse=True)
    return {next(p for p in known if call.messages[0].content.split()[0].startswith(p)) for call in engine.calls}


def stopping_after(calls: int) -> Callable[[Generate], str]:
    left = [calls]

    def answer(request: Generate) -> str:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return echo(request)

    return answer


def test_ctrl_c_ends_the_run_with_a_good_journal(tmp_path: Path) -> None:
    def answer(request: Generate) -> str:
        if len(engine.calls) == 15:
            os.kill(os.getpid(), signal.SIGINT)
        return echo(request)

    engine = ScriptedEngine(answer, capacity=3)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        drive(tmp_path, searches(9), both(engine))
    assert signal.getsignal(signal.SIGINT) is before
    assert drive(tmp_path, searches(9), both(ScriptedEngine(echo))) == by_hand(searches(9))


def test_a_failed_request_is_asked_once_more(tmp_path: Path) -> None:
    failures = Counter[tuple[str, int]]()

    def unreliable(request: Generate) -> str:
        key = (request.messages[0].content, request.seed)
        failures[key] += 1
        if failures[key] == 1 and sum(map(ord, key[0])) % 3 == 0:
            raise ConnectionError("gone for a moment")
        return echo(request)

    assert drive(tmp_path, searches(12), both(ScriptedEngine(unreliable))) == by_hand(searches(12))
    assert 2 in failures.values() and max(failures.values()) == 2


def one_question(problem: str) -> Search[list[Row]]:
    (answer,) = yield [ask(problem)]
    assert isinstance(answer, Completion)
    return [{"finish": answer.finish, "error": answer.error, "text": answer.text}]


def questions(*problems: str) -> dict[str, Callable[[], Search[list[Row]]]]:
    return {problem: partial(one_question, problem) for problem in problems}


def test_a_search_learns_of_a_second_failure(tmp_path: Path) -> None:
    def broken_for_b(request: Generate) -> str:
        if request.messages[0].content == "b":
            raise ConnectionError("no route\nto host")
        return "fine"

    engine = ScriptedEngine(broken_for_b)
    found = drive(tmp_path, questions("a", "b", "c"), {"actor": engine})
    assert found["b"] == [{"finish": "error", "error": "engine_error: ConnectionError: no route", "text": ""}]
    assert found["a"] == found["c"] == [{"finish": "stop", "error": None, "text": "fine"}]
    assert [call.messages[0].content for call in engine.calls].count("b") == 2


def test_a_prompt_that_is_too_long_is_not_asked_again(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda request: failed("prompt_too_long", 99))
    found = drive(tmp_path, questions("a"), {"actor": engine})
    assert found["a"][0]["error"] == "prompt_too_long"
    assert len(engine.calls) == 1


def test_an_engine_that_only_fails_ends_the_run(tmp_path: Path) -> None:
    def dead(request: Generate) -> str:
        raise RuntimeError("out of memory")

    with pytest.raises(UserError, match=r"role 'actor' failed \d+ times in a row, at last with .*out of memory"):
        drive(tmp_path, questions(*map(str, range(500))), {"actor": ScriptedEngine(dead)})
    with Journal(tmp_path / "journal.jsonl", "key") as journal:
        assert not journal.finished


def test_an_engine_that_dies_spoils_no_problem(tmp_path: Path) -> None:
    def mortal(request: Generate) -> str:
        if len(engine.calls) > 60:
            raise RuntimeError("fell off the bus")
        return echo(request)

    engine = ScriptedEngine(mortal)
    todo = searches(200)
    with pytest.raises(UserError, match="fell off the bus"):
        drive(tmp_path, todo, both(engine))
    expected = by_hand(todo)
    with Journal(tmp_path / "journal.jsonl", "key") as journal:
        kept = journal.finished
    assert kept and all(finished.rows == expected[problem] for problem, finished in kept.items())
    assert drive(tmp_path, todo, both(ScriptedEngine(echo))) == expected


def test_an_exception_in_a_search_names_its_problem(tmp_path: Path) -> None:
    def faulty() -> Search[list[Row]]:
        yield [ask("x")]
        raise ZeroDivisionError("oops")

    with pytest.raises(SearchError, match=r"problem p9 failed: ZeroDivisionError\('oops'\)") as raised:
        drive(tmp_path, {**questions("a", "b"), "p9": faulty}, {"actor": ScriptedEngine(echo)})
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_role_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"role 'critic' \(roles with a model: actor\)"):
        drive(tmp_path, searches(1), {"actor": ScriptedEngine(echo)})


def test_searches_may_ask_for_nothing_or_for_grades_only(tmp_path: Path) -> None:
    def only_grades() -> Search[list[Row]]:
        nothing = yield []
        verdicts = yield [Grade("it is 7", "7"), Grade("it is 8", "7")]
        return [{"nothing": list(nothing), "outcomes": [verdict.outcome for verdict in verdicts]}]  # type: ignore[union-attr]

    def returns_at_once() -> Search[list[Row]]:
        return []
        yield []

    found = drive(tmp_path, {"grades": only_grades, "none": returns_at_once}, {})
    assert found == {"grades": [{"nothing": [], "outcomes": ["correct", "wrong"]}], "none": []}


def test_searches_start_only_when_they_are_needed(tmp_path: Path) -> None:
    started: list[str] = []
    most_open = 0

    def search(problem: str) -> Search[list[Row]]:
        started.append(problem)
        yield from one_question(problem)
        return []

    def answer(request: Generate) -> str:
        nonlocal most_open
        most_open = max(most_open, len(started) - len(engine.calls) + 1)
        return "x"

    engine = ScriptedEngine(answer, capacity=3)
    drive(tmp_path, {str(i): partial(search, str(i)) for i in range(200)}, {"actor": engine})
    assert len(started) == 200 and most_open <= 4


def test_the_engine_is_kept_full(tmp_path: Path) -> None:
    """As long as there are problems to start, no step finds a free place in the engine: there is no barrier."""
    free: list[int] = []

    def answer(request: Generate) -> str:
        free.append(engine.capacity - engine.in_flight - 1)  # this request has just left
        return echo(request)

    engine = ScriptedEngine(answer, capacity=6, choose=random.Random(3).randrange)
    drive(tmp_path, searches(100), both(engine))
    assert max(free[: len(free) // 2]) == 0


def test_lost_answers_are_noticed(tmp_path: Path) -> None:
    class Forgetful(ScriptedEngine):
        def step(self, timeout: float = 0.0) -> list[tuple[int, Completion]]:
            super().step()
            return []

    with pytest.raises(RuntimeError, match="1 searches wait for answers that nobody owes them"):
        drive(tmp_path, questions("a"), {"actor": Forgetful(echo)})


def test_rows_are_the_same_fresh_and_resumed(tmp_path: Path) -> None:
    def search() -> Search[list[Row]]:
        yield [ask("a")]
        return [{"pair": ("x", 1), "ratio": 0.1, "lowest": float("-inf"), "name": "Zoë"}]

    fresh = drive(tmp_path, {"a": search}, {"actor": ScriptedEngine(echo)})
    assert drive(tmp_path, {"a": search}, {}) == fresh
    assert fresh["a"] == [{"pair": ["x", 1], "ratio": 0.1, "lowest": float("-inf"), "name": "Zoë"}]


def test_progress_is_reported(tmp_path: Path) -> None:
    stream = StringIO()
    progress = Progress("explore", tmp_path / "progress.json", stream)
    found = drive(tmp_path, searches(10), both(ScriptedEngine(echo)), progress=progress)
    state = json.loads((tmp_path / "progress.json").read_text())
    assert (state["total"], state["done"], state["resumed"]) == (10, 10, 0)
    assert state["generations"] == sum(2 * len(rows) for rows in found.values())
    assert state["tokens"] > state["generations"] and state["tokens_per_s"] > 0 and state["eta_s"] == 0
    assert stream.getvalue().startswith("explore: 10/10 problems") and stream.getvalue().count("\n") == 1
    again = StringIO()
    drive(tmp_path, searches(11), both(ScriptedEngine(echo)), progress=Progress("explore", stream=again))
    assert "10 of 11 problems were finished before" in again.getvalue()


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    drive(tmp_path, searches(5), both(ScriptedEngine(echo)), progress=Progress("explore", stream=terminal))
    assert "explore: 100%" in terminal.getvalue() and "tokens/s" in terminal.getvalue()


def test_a_table_answers_too() -> None:
    engine = ScriptedEngine({"q": "a b"})
    engine.submit(4, ask("q"))
    engine.submit(5, ask("unknown"))
    assert engine.step() == [(4, Completion("a b", 3, 1, "stop"))]
    ((ticket, completion),) = engine.step()
    assert (ticket, completion.finish) == (5, "error")
    assert [call.messages[0].content for call in engine.calls] == ["q", "unknown"]


def worth(request: Score) -> float:
    """A score that depends on the request alone."""
    return random.Random(f"{request.of} {request.messages}").random()


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
    assert all(problem.generations == len(problem.rows) for problem in finished.values()), "scores are no completions"
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
