from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bestpath.core.randomness import seed_of
from bestpath.core.search import Generate, Grade, Sampling, Verdict
from bestpath.core.tables import read_table, write_table
from bestpath.methods.recut.explore import explore, sample_whole, up_to_round
from bestpath.methods.recut.tables import TRIALS
from tests.methods.recut.toy import (
    NEUTRAL,
    PROMPTS,
    completion,
    explore_rules,
    failure,
    mode_of,
    play,
    problem,
    random_solver,
    step_of,
    toy_solver,
)

RULES = explore_rules()
BOXED = explore_rules(stop_rule="boxed_in_step")


def run(answer, rules=RULES):
    return play(explore(problem(), rules, PROMPTS), answer)


def scripted(*rounds):
    """A partner that says `rounds[t-1][mode]`; the round is told from how often the mode was asked."""
    asked: dict[str, int] = {}

    def answer(request):
        mode = mode_of(request)
        asked[mode] = asked.get(mode, 0) + 1
        said = rounds[asked[mode] - 1][mode]
        return completion(said) if isinstance(said, str) else said

    return answer


def test_a_search_line_by_line():
    search = explore(problem(), RULES, PROMPTS)
    long, short = next(search)
    assert isinstance(long, Generate) and isinstance(short, Generate)
    assert (long.role, long.prefill) == ("actor", "")
    assert long.sampling == Sampling(temperature=0.7, top_p=0.95, top_k=0, max_tokens=2048)
    assert [mode_of(long), mode_of(short)] == ["long", "short"]
    assert [long.seed, short.seed] == [seed_of(42, "p", 1, "long", 0), seed_of(42, "p", 1, "short", 0)]
    assert "What is the answer to p?" in long.messages[0].content
    assert long.messages[0].content.endswith("Go on with step 1.")

    texts = ["[STEP1]: a, checked\n[STEP2]: b\nFinal answer: \\boxed{7}", "[STEP1]: a\n[STEP2]: c\nFinal: \\boxed{8}"]
    grades = search.send([completion(text) for text in texts])
    assert grades == [Grade(text, "7", "number") for text in texts]

    # the long one is right, so its first step is kept and not terminal
    requests = search.send([Verdict("correct", "7"), Verdict("wrong", "8")])
    for request in requests:
        assert request.messages[0].content.endswith("Reasoning so far:\n[STEP1]: a, checked\n\nGo on with step 2.")
    assert requests[1].seed == seed_of(42, "p", 2, "short", 0)

    # both are right: the shorter one's step is kept, and it is the last
    search.send([completion("[STEP2]: b b b\nFinal answer: \\boxed{7}"), completion("[STEP2]: b\n\\boxed{7}")])
    with pytest.raises(StopIteration) as end:
        search.send([Verdict("correct", "7"), Verdict("correct", "7")])
    rows = end.value.value
    assert [row["trial_id"] for row in rows] == ["p.1.long.0", "p.1.short.0", "p.2.long.0", "p.2.short.0"]
    assert [row["chosen"] for row in rows] == [True, False, False, True]
    assert [row["terminal"] for row in rows] == [False, False, True, True]
    assert [row["stop"] for row in rows] == [None, None, "finished", "finished"]
    assert [row["prefix"] for row in rows] == [[], [], ["[STEP1]: a, checked"], ["[STEP1]: a, checked"]]
    assert rows[0]["reward"] == 1 / rows[0]["n_tokens"]
    assert rows[1]["reward"] == -1 / rows[1]["n_tokens"]
    assert rows[0]["prompt_sha"] == PROMPTS["long"].sha
    assert not any(row["switched"] for row in rows)


def test_long_and_short_prompts_differ_only_in_the_length_clause():
    lines = [PROMPTS[mode].template.splitlines() for mode in ("long", "short")]
    assert len(lines[0]) == len(lines[1])
    assert sum(a != b for a, b in zip(*lines, strict=True)) == 1


@pytest.mark.parametrize("n_steps", [1, 3, 5, 8])
def test_costs_under_the_terminal_rule(n_steps):
    rows = run(toy_solver(n_steps))
    assert len(rows) == 2 * n_steps
    assert sum(row["n_tokens"] for row in rows) == (n_steps + 1) * rows[0]["n_tokens"]
    assert rows[-1]["stop"] == "finished"


@pytest.mark.parametrize("n_steps", [1, 3, 5, 8])
def test_the_released_stop_rule_never_stops(n_steps):
    rows = run(toy_solver(n_steps), BOXED)
    assert len(rows) == 16
    assert rows[-1]["stop"] == "round_cap"
    assert sum(row["chosen"] for row in rows) == n_steps  # later rounds repeat the last state


def test_the_released_stop_rule_stops_at_a_box_in_a_step():
    said = {"long": "[STEP1]: \\boxed{7} it is", "short": "[STEP1]: \\boxed{7}"}
    rows = run(scripted(said), BOXED)
    assert [(row["chosen"], row["stop"]) for row in rows] == [(False, "finished"), (True, "finished")]


def test_rounds_exhausted():
    rows = run(toy_solver(12))
    assert len(rows) == 16
    assert {row["stop"] for row in rows[-2:]} == {"round_cap"}
    assert {row["stop"] for row in rows[:-2]} == {None}


def test_the_other_mode_gives_the_step_when_the_chosen_side_has_none():
    said = {"long": "[STEP1]: slow and sure\nFinal answer: \\boxed{8}", "short": "\\boxed{7}"}
    rows = run(scripted(said))
    assert [row["step_reject"] for row in rows] == [None, "no_step_marker"]
    assert [(row["chosen"], row["switched"]) for row in rows] == [(True, True), (False, False)]
    assert rows[0]["stop"] == "finished"


@pytest.mark.parametrize(
    ("long", "short", "reasons"),
    [
        ("I give up", "[STEP4]: x\n\\boxed{7}", ["no_step_marker", "wrong_step_number"]),
        ("[STEP1]:\n[STEP2]: x", completion("[STEP1]: x", "length"), ["empty_step", "unfinished_step"]),
        ("", " ", ["no_step_marker", "no_step_marker"]),
    ],
)
def test_no_usable_step_stalls(long, short, reasons):
    rows = run(scripted({"long": long, "short": short}))
    assert [row["step_reject"] for row in rows] == reasons
    assert {row["stop"] for row in rows} == {"stalled"}
    assert not any(row["chosen"] for row in rows)


def test_empty_completions_have_the_lowest_reward():
    rows = run(scripted({"long": "", "short": " "}))
    assert [row["reward"] for row in rows] == [float("-inf")] * 2


def test_a_repeated_step_stops_the_search():
    said = {mode: "[STEP1]: Add them\n[STEP2]: stop\n\\boxed{7}" for mode in ("long", "short")}
    again = {mode: "[STEP2]: add  them\n[STEP3]: stop\n\\boxed{7}" for mode in ("long", "short")}
    rows = run(scripted(said, again))
    assert [row["stop"] for row in rows] == [None, None, "repeated_step", "repeated_step"]
    assert not any(row["chosen"] for row in rows[2:])


def test_the_released_rule_goes_on_after_a_repeated_step():
    rounds = [
        {mode: f"[STEP{t}]: add them\n[STEP{t + 1}]: stop\n\\boxed{{7}}" for mode in ("long", "short")}
        for t in range(1, 9)
    ]
    rows = run(scripted(*rounds), BOXED)
    assert len(rows) == 16
    assert rows[-1]["prefix"] == [f"[STEP{t}]: add them" for t in range(1, 8)]


def test_a_truncated_completion_gives_a_finished_step_but_does_not_finish():
    cut = completion("[STEP1]: a\nFinal answer: \\boxed{7} and so on and", "length")
    rows = run(scripted({"long": cut, "short": cut}, {"long": "\\boxed{7}", "short": "\\boxed{7}"}))
    assert [row["step"] for row in rows[:2]] == ["[STEP1]: a"] * 2
    assert [row["terminal"] for row in rows[:2]] == [False, False]
    assert [row["finish_reason"] for row in rows] == ["length", "length", "stop", "stop"]


@pytest.mark.parametrize(
    ("errors", "stop"),
    [
        (["prompt_too_long", "prompt_too_long"], "prompt_too_long"),
        (["prompt_too_long", "engine_error: no memory"], "engine_error"),
    ],
)
def test_errors_on_all_sides_stop_the_search_with_what_it_has(errors, stop):
    first = {mode: "[STEP1]: a\n[STEP2]: b\n\\boxed{7}" for mode in ("long", "short")}
    then = dict(zip(("long", "short"), map(failure, errors), strict=True))
    rows = run(scripted(first, then))
    assert len(rows) == 4
    assert [row["stop"] for row in rows[2:]] == [stop, stop]
    assert [row["error"] for row in rows[2:]] == errors
    assert [row["reward"] for row in rows[2:]] == [None, None]


def test_an_error_on_one_side_leaves_the_other():
    rows = run(scripted({"long": failure("engine_error: no memory"), "short": "[STEP1]: a\n\\boxed{7}"}))
    assert [row["chosen"] for row in rows] == [False, True]
    assert rows[0]["verdict"] == "no_answer"
    assert rows[0]["stop"] == "finished"


def test_nothing_is_graded_when_nothing_was_generated():
    search = explore(problem(), RULES, PROMPTS)
    next(search)
    with pytest.raises(StopIteration):
        search.send([failure("prompt_too_long")] * 2)


def test_prefill_keeps_the_users_turn_and_starts_the_assistants():
    rules = dataclasses.replace(RULES, continuation="prefill")
    asked = []

    def answer(request):
        asked.append(request)
        return toy_solver(3)(request)

    rows = run(answer, rules)
    assert len({request.messages for request in asked}) == 2  # one a mode, in all rounds
    assert [request.prefill for request in asked[:2]] == ["", ""]
    assert asked[4].prefill == "".join(step + "\n" for step in rows[4]["prefix"])
    assert step_of(asked[4]) == 3
    assert len(rows) == 6


@pytest.mark.parametrize("mode", ["long", "short"])
def test_one_mode_alone_with_two_samples(mode):
    rules = dataclasses.replace(RULES, modes=(mode,), samples_per_mode=2)
    rows = run(toy_solver(2), rules)
    assert [row["trial_id"] for row in rows] == [f"p.{t}.{mode}.{i}" for t in (1, 2) for i in (0, 1)]
    assert len({row["seed"] for row in rows}) == 4
    assert [row["chosen"] for row in rows] == [True, False] * 2  # equal rewards: the first sample


def test_the_length_unit_decides():
    said = {"long": "[STEP1]: a a a a\n\\boxed{7}", "short": "[STEP1]: " + "a" * 40 + "\n\\boxed{7}"}
    for unit, expected in (("tokens", [False, True]), ("chars", [True, False])):
        rows = run(scripted(said), dataclasses.replace(RULES, length_unit=unit))
        assert [row["chosen"] for row in rows] == expected


def test_whole_samples():
    rows = play(sample_whole(problem(), RULES, NEUTRAL, 3), toy_solver(2))
    assert [row["trial_id"] for row in rows] == ["p.1.neutral.0", "p.1.neutral.1", "p.1.neutral.2"]
    assert {row["verdict"] for row in rows} == {"correct"}
    assert {row["stop"] for row in rows} == {"finished"}
    assert [row["seed"] for row in rows] == [seed_of(42, "p", 1, "neutral", i) for i in range(3)]
    assert not any(row["chosen"] for row in rows)


def test_choices_reach_the_verifier():
    row = problem() | {"choices": '[["A", "six"], ["B", "seven"]]', "kind": "choice", "answer": "B"}
    search = explore(row, RULES, PROMPTS)
    next(search)
    grades = search.send([completion("\\boxed{B}")] * 2)
    assert grades[0] == Grade("\\boxed{B}", "B", "choice", (("A", "six"), ("B", "seven")))


RANDOM_RULES = st.builds(
    explore_rules,
    seed=st.integers(0, 9),
    rounds=st.integers(1, 8),
    modes=st.sampled_from([("long", "short"), ("short", "long"), ("long",), ("short",)]),
    samples_per_mode=st.integers(1, 3),
    continuation=st.sampled_from(["prompt", "prefill"]),
    stop_rule=st.sampled_from(["terminal", "boxed_in_step"]),
    both_wrong=st.sampled_from(["formula", "figure"]),
    unparsable_tier=st.sampled_from(["below_wrong", "same"]),
    length_unit=st.sampled_from(["tokens", "chars"]),
)


@given(RANDOM_RULES, st.integers(0, 2**32), st.integers(1, 8))
def test_fewer_rounds_are_the_beginning_of_the_same_search(rules, salt, rounds):
    rules = dataclasses.replace(rules, rounds=max(rules.rounds, rounds))
    fewer = dataclasses.replace(rules, rounds=rounds)
    assert up_to_round(run(random_solver(salt), rules), rounds) == run(random_solver(salt), fewer)


@given(RANDOM_RULES, st.integers(0, 2**32))
def test_what_holds_in_every_search(rules, salt):
    rows = run(random_solver(salt), rules)
    last = rows[-1]["round"]
    kept: list[str] = []
    for t in range(1, last + 1):
        of_round = [row for row in rows if row["round"] == t]
        assert len(of_round) == len(rules.modes) * rules.samples_per_mode
        assert all(row["prefix"] == kept for row in of_round)
        chosen = [row for row in of_round if row["chosen"]]
        assert len(chosen) <= 1
        kept = kept + [row["step"] for row in chosen]
        assert all((row["stop"] is not None) == (t == last) for row in of_round)
        assert len({row["stop"] for row in of_round}) == 1
    assert [step.partition("]")[0] for step in kept] == [f"[STEP{i}" for i in range(1, len(kept) + 1)]
    assert len({row["seed"] for row in rows}) == len(rows)
    if rules.stop_rule == "terminal":
        ended_whole = any(row["chosen"] and row["terminal"] for row in rows if row["round"] == last)
        assert (rows[-1]["stop"] == "finished") == ended_whole


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_trials_are_rows_of_their_table(salt):
    rows = run(random_solver(salt))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.parquet"
        write_table(path, TRIALS, rows)
        order = sorted(rows, key=lambda row: [row[name] for name in TRIALS.key])
        assert read_table(path, TRIALS) == order
