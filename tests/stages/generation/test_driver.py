"""The driver, with scripted engines: order, resumption, failures."""

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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Grade, Search
from bestpath.core.tables import Row
from bestpath.stages.generation.driver import SearchError
from bestpath.stages.generation.engine import Engine, failed
from bestpath.stages.generation.engines.scripted import ScriptedEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress
from tests.stages.generation.driving import ScriptedGrader, ask, by_hand, drive, echo


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


def both(engine: Engine) -> dict[str, Engine]:
    return {"actor": engine, "critic": engine}


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


def test_no_more_searches_are_open_than_can_be_needed(tmp_path: Path) -> None:
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
    assert len(started) == 200 and most_open <= 2 * 3 + 16


def test_all_searches_begin_before_one_goes_on(tmp_path: Path) -> None:
    """So that a long one is not left alone at the end."""
    engine = ScriptedEngine(echo, capacity=2)
    drive(tmp_path, searches(12), both(engine))
    assert [call.messages[-1].content for call in engine.calls[:24:2]] == [f"p{i}" for i in range(12)]


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
