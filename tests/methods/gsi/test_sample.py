from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Ran, Run, Verdict
from bestpath.core.tables import Row
from bestpath.methods.gsi.grade import grade
from bestpath.methods.gsi.guide import guide
from bestpath.methods.gsi.sample import draw
from bestpath.methods.gsi.select import select
from bestpath.methods.gsi.tables import DRAWS, GRADED
from tests.methods.gsi.toy import (
    PROMPTS,
    chance,
    guidance,
    guide_rules,
    plain_draws,
    play,
    problem,
    sample_rules,
    select_rules,
)
from tests.methods.gsi.toy import draw as row

DRAWING = sample_rules()
RULES = guide_rules()


def scripted(*outcomes: bool):  # type: ignore[no-untyped-def]
    """Answers with these outcomes, one after another, then wrongly, each in words of its own."""
    left = list(outcomes)

    def answer(request: Generate) -> str:
        return f"try {len(left)} {request.seed} to {17 if left and left.pop(0) else 3}"

    return answer


def test_the_budget_loop_of_the_page() -> None:
    """Questions with 5, 2, 0 and 3 of 8 correct need 0, 3, 8 and 1 draws more; 10 rows become 13, or 12 capped."""
    outcomes = {"A": (), "B": (False, True, True), "C": (False,) * 8, "D": (True,)}
    plain = {name: plain_draws(name, correct) for name, correct in zip("ABCD", (5, 2, 0, 3), strict=True)}
    guided = {
        name: play(guide(problem(name), RULES, guidance("answer"), plain[name]), scripted(*outcomes[name]))[0]
        for name in "ABCD"
    }
    assert [len(guided[name]) for name in "ABCD"] == [0, 3, 8, 1]
    assert sum(map(len, plain.values())) + sum(map(len, guided.values())) == 44
    problems = [problem(name) for name in "ABCD"]
    draws = [row for name in "ABCD" for row in plain[name]]
    every = draws + [row for name in "ABCD" for row in guided[name]]

    def rows_of(drawn: list[Row], **settings: object) -> list[int]:
        found = select(problems, drawn, PROMPTS["plain"], select_rules(min_rows=1, **settings))
        return [question["n_rows"] for question in found.questions]

    assert rows_of(draws) == [5, 2, 0, 3]
    assert rows_of(every) == [5, 4, 0, 4]
    assert rows_of(every, cap=4) == [4, 4, 0, 4]
    found = select(problems, every, PROMPTS["plain"], select_rules(min_rows=1))
    assert [question["problem_id"] for question in found.questions if question["tail_lost"]] == ["C"]
    same = [{**drawn, "text": "way 0 to 17"} if drawn["draw_id"] == "A.0.plain.0.1" else drawn for drawn in every]
    assert sum(rows_of(same)) == 12


def test_an_answer_in_the_words_of_another_one_is_none_from_help() -> None:
    """Selection would drop it. Plain answers all count, in whatever words: a question that has k of them is easy."""
    plain = plain_draws("q", 2)
    texts = [plain[0]["text"], "so 17", "so  17\n", "thus 17"]
    left = list(texts)
    rows, _ = play(guide(problem(), RULES, guidance("plain"), plain), lambda _: left.pop(0))
    assert [row["text"] for row in rows] == texts
    counting = guide_rules(count_repeats=True)
    rows, _ = play(guide(problem(), counting, guidance("plain"), plain), lambda _: "so 17")
    assert len(rows) == 2
    same = [{**row, "text": "so 17"} for row in plain_draws("q", 4)]
    assert play(guide(problem(), RULES, guidance("plain"), same), str) == ([], [])


def test_a_question_asks_again_as_soon_as_its_verdict_is_in() -> None:
    search = guide(problem(), RULES, guidance("plain"), plain_draws("q", 3))
    [request] = next(search)
    assert isinstance(request, Generate)
    [asked] = search.send([Completion("it is 3", 3, 5, "stop")])
    assert asked.text == "it is 3"  # its grade, and nothing else


def test_the_plain_phase_asks_for_all_draws_at_once_with_seeds_of_their_own() -> None:
    search = draw(problem(), DRAWING, PROMPTS["plain"])
    requests = next(search)
    assert len({request.seed for request in requests}) == 8
    rows, _ = play(draw(problem(), DRAWING, PROMPTS["plain"]), lambda request: f"{request.seed} 17")
    assert all(row.keys() == DRAWS.columns.keys() for row in rows)
    graded, _ = play(grade(problem(), rows, "cot", "equiv"), str)
    assert all(row.keys() == GRADED.columns.keys() for row in graded)
    assert rows[3]["seed"] == seed_of(1, "q", 0, "plain", 0, 3)


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        (Completion("so 17", 2, 5, "stop"), "correct"),
        (Completion("so 17", 2, 5, "length"), "truncated"),  # even with an answer in it
        (Completion("so", 2, 5, "stop"), "no_answer"),
        (Completion("", 0, 5, "error", "engine_error: x"), "error"),
    ],
)
def test_verdicts(completion: Completion, verdict: str) -> None:
    rows, _ = play(draw(problem(), sample_rules(n_init=1), PROMPTS["plain"]), lambda _: completion)
    [graded], _ = play(grade(problem(), rows, "cot", "equiv"), str)
    assert graded["verdict"] == verdict


@pytest.mark.parametrize(
    ("ran", "verdict", "answer"),
    [
        (Ran("ok", "first\n17\n\n"), "correct", "17"),
        (Ran("ok", "3\n"), "wrong", "3"),
        (Ran("no_output", ""), "no_output", None),
        (Ran("ok", "\n"), "no_output", None),
        (Ran("error", "17\n", "ZeroDivisionError: division by zero"), "exec_error", None),
        (Ran("timeout", "17\n"), "exec_timeout", None),
        (Ran("oom", ""), "exec_error", None),
    ],
)
def test_a_program_is_judged_by_what_it_prints(ran: Ran, verdict: str, answer: str | None) -> None:
    drawn = [{**row("q", "plain", 0, 0, "", "print(17)")}]
    search = grade(problem(), drawn, "pot", "equiv")
    assert next(search) == [Run("print(17)")]
    try:
        [asked] = search.send([ran])
        assert asked.text == f"The answer is {answer}"
        search.send([Verdict("correct" if answer == "17" else "wrong", answer)])
    except StopIteration as end:
        [graded] = end.value
    assert (graded["verdict"], graded["answer"], graded["output"]) == (verdict, answer, ran.stdout)


def test_in_pot_mode_the_guided_phase_runs_its_programs() -> None:
    rules = guide_rules(rounds=1, mode="pot")
    search = guide(problem(), rules, guidance("plain"), plain_draws("q", 3))
    next(search)
    assert search.send([Completion("print(17)", 2, 5, "stop")]) == [Run("print(17)")]


@given(st.integers(0, 6), st.integers(0, 9), st.integers(0, 6), st.integers(0, 9), st.sampled_from(["one", "adaptive"]))
def test_a_larger_budget_only_adds_draws(k: int, rounds: int, more_k: int, more_rounds: int, draws: str) -> None:
    """What a smaller budget drew is taken over, never asked again, and ends in the same rows as a fresh start."""

    def run(k: int, rounds: int, earlier: list[Row]) -> tuple[list[Row], list[Generate]]:
        rules = guide_rules(k=k, rounds=rounds, draws=draws)
        search = guide(problem(), rules, guidance("state_reset"), plain_draws("q", 1), earlier)
        return play(search, lambda request: chance(request, 0.3))

    small, _ = run(k, rounds, [])
    large, asked = run(k + more_k, rounds + more_rounds, small)
    afresh, asked_afresh = run(k + more_k, rounds + more_rounds, [])
    assert large == afresh
    assert len(asked) == len(asked_afresh) - len(small)
    again, asked_again = run(k, rounds, large)
    assert again == small and not asked_again


def test_more_plain_draws_are_added_to_those_that_are_there() -> None:
    few, _ = play(draw(problem(), sample_rules(n_init=3), PROMPTS["plain"]), lambda r: str(r.seed))
    many, asked = play(draw(problem(), DRAWING, PROMPTS["plain"], few), lambda r: str(r.seed))
    assert many[:3] == few and len(asked) == 5
    fewer, asked = play(draw(problem(), sample_rules(n_init=2), PROMPTS["plain"], many), str)
    assert fewer == many[:2] and not asked


def test_adaptive_draws_are_as_many_as_the_deficit_lets_expect() -> None:
    rules = guide_rules(rounds=32, draws="adaptive")
    search = guide(problem(), rules, guidance("plain"), plain_draws("q", 2))
    assert len(next(search)) == 16  # two are missing, at a rate of at least one in eight
    grades = search.send([Completion(f"so {17 if i == 0 else 3}", 2, 5, "stop") for i in range(16)])
    assert len(grades) == 16
    again = search.send([Verdict("correct" if i == 0 else "wrong", "x") for i in range(16)])
    assert len(again) == 8  # one is missing, at the rate of one in sixteen taken for one in eight


# (pass rate, guided success rate) by level, and what docs/gsi.md expects of n_init 8 and k 4
PLAIN = (0.95, 0.8, 0.55, 0.3, 0.1)
GUIDED = (0.98, 0.93, 0.85, 0.75, 0.6)
EXPECTED = {  # rounds, rates: mean draws a question by level, row shares (floor), reach k, coverage
    "vanilla": (0, PLAIN, (8, 8, 8, 8, 8), (0.352, 0.296, 0.204, 0.111, 0.037), None, (1, 1, 0.998, 0.942, 0.570)),
    "brute 128": (
        128,
        PLAIN,
        (8.00, 8.01, 8.67, 13.57, 40.00),
        (0.283, 0.239, 0.178, 0.152, 0.149),
        (1,) * 5,
        (1,) * 5,
    ),
    "brute 8": (
        8,
        PLAIN,
        (8.00, 8.01, 8.66, 12.32, 15.80),
        (0.316, 0.267, 0.198, 0.154, 0.066),
        (1, 1, 0.997, 0.754, 0.068),
        (1, 1, 1, 0.997, 0.815),
    ),
    "guided 8": (
        8,
        GUIDED,
        (8.00, 8.01, 8.43, 10.22, 13.13),
        (0.284, 0.240, 0.178, 0.152, 0.145),
        (1, 1, 1, 0.997, 0.905),
        (1, 1, 1, 1, 1),
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_sampling_is_expected_to_bring(name: str) -> None:
    """The loop itself against the exact figures of docs/gsi.md, with a model that is right by chance."""
    rounds, rates, draws, row_shares, reach, coverage = EXPECTED[name]
    n, found = 1500, []
    for level, (plain_rate, rate) in enumerate(zip(PLAIN, rates, strict=True)):
        chances = random.Random(f"{name} {level}")
        made = []
        for i in range(n):
            first = [chances.random() < plain_rate for _ in range(8)]
            plain = [row("q", "plain", 0, j, "correct" if right else "wrong", "") for j, right in enumerate(first)]
            rules = guide_rules(i, rounds=rounds, k=4)
            extra, _ = play(guide(problem(), rules, guidance("plain"), plain), right_by(chances, rate))
            correct = sum(first) + sum(drawn["verdict"] == "correct" for drawn in extra)
            made.append((8 + len(extra), correct))
        found.append(made)
    rows = [sum(correct for _, correct in made) for made in found]
    for level, made in enumerate(found):
        assert_near([drawn for drawn, _ in made], draws[level], n)
        assert rows[level] / sum(rows) == pytest.approx(row_shares[level], abs=0.006)
        assert_near([correct > 0 for _, correct in made], coverage[level], n)
        if reach:
            assert_near([correct >= 4 for _, correct in made], reach[level], n)


def right_by(chances: random.Random, rate: float) -> Callable[[Generate], str]:
    return lambda _: f"way {chances.random()} to {17 if chances.random() < rate else 3}"


def assert_near(values: list, expected: float, n: int) -> None:  # type: ignore[type-arg]
    """Within three standard errors, and the rounding of the table."""
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / n
    assert abs(mean - expected) <= 3 * math.sqrt(variance / n) + 0.006, (mean, expected)
