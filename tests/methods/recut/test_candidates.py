from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.search import Grade, Verdict
from bestpath.core.tables import read_table, write_table
from bestpath.methods.recut.candidates import collect, length_of
from bestpath.methods.recut.explore import explore, up_to_round
from bestpath.methods.recut.steps import count_steps
from bestpath.methods.recut.tables import CANDIDATES
from tests.methods.recut.toy import PROMPTS, explore_rules, grade, play, problem, random_solver, toy_solver, trial

RULES = explore_rules()
TOKENS = {"A": 120, "B": 70, "C": 150, "D": 60, "E": 90}


def verdict_of(problem_id: str, text: str) -> Verdict:
    return grade(Grade(text, "7", "number"))


def worked_example():
    """The trials of the example on docs/recut.md."""
    return [
        trial("c1", 1, "long", "correct", "A"),
        trial("c2", 1, "short", "correct", "B"),
        trial("c3", 2, "long", "wrong", "C"),
        trial("c4", 2, "short", "correct", " B\n"),
        trial("c5", 3, "long", "wrong", "D"),
        trial("c6", 3, "short", "no_answer", "E"),
    ]


def reasons(rejects):
    return [(row["sample_id"], row["reason"]) for row in rejects.rows]


def test_worked_example():
    candidates, rejects = collect(worked_example(), TOKENS.__getitem__)
    assert {c["candidate_id"]: c["n_tokens"] for c in candidates} == {"c2": 70, "c1": 120, "c3": 150, "c5": 60}
    assert reasons(rejects) == [("c4", "duplicate_text"), ("c6", "no_answer")]
    assert rejects.rows[0]["detail"] == "of c2"


def test_every_reason_to_reject():
    trials = [
        trial("cut", 1, "long", "correct", "A", finish_reason="length"),
        trial("none", 1, "short", "no_answer", "B"),
        trial("late", 2, "long", "timeout", "C"),
        trial("error", 2, "short", "no_answer", "", finish_reason="error", error="engine_error: no memory"),
        trial("full", 3, "short", "no_answer", "", finish_reason="error", error="prompt_too_long"),
    ]
    candidates, rejects = collect(trials, len)
    assert candidates == []
    assert set(reasons(rejects)) == {
        ("cut", "truncated"),
        ("none", "no_answer"),
        ("late", "verify_timeout"),
        ("error", "engine_error"),
        ("full", "prompt_too_long"),
    }
    assert [row["detail"] for row in rejects.rows if row["reason"] == "engine_error"] == ["no memory"]


def test_of_equal_texts_the_earliest_and_then_the_short_one_stays():
    trials = [
        trial("late", 3, "short", "correct", "A  A"),
        trial("long", 2, "long", "correct", "A\nA"),
        trial("short1", 2, "short", "correct", "A A", index=1),
        trial("short0", 2, "short", "correct", "A A"),
    ]
    candidates, rejects = collect(trials, len)
    assert [c["candidate_id"] for c in candidates] == ["short0"]
    assert {row["detail"] for row in rejects.rows} == {"of short0"}


def test_equal_texts_of_different_problems_both_stay():
    trials = [trial("a", 1, "long", "correct", "A", problem_id=pid) for pid in ("p", "q")]
    assert len(collect(trials, len)[0]) == 2


def test_the_text_is_the_kept_steps_and_the_completion():
    trials = play(explore(problem(), RULES, PROMPTS), toy_solver(3))
    candidates, _ = collect(trials, len)
    last, last_trial = candidates[-1], {row["trial_id"]: row for row in trials}[candidates[-1]["candidate_id"]]
    assert len(last_trial["prefix"]) == 2
    assert last["text"].splitlines() == [*last_trial["prefix"], *last_trial["text"].splitlines()]
    assert [c["n_steps"] for c in candidates] == [3] * len(candidates)
    assert all(c["n_tokens"] == len(c["text"]) for c in candidates)
    assert last["mode_path"] == [*[row["mode"] for row in trials if row["chosen"]][:2], last["mode"]]


def test_blank_lines_around_a_completion_are_no_part_of_the_text():
    candidates, _ = collect([trial("c", 2, "long", "correct", "\n b\n\n", prefix=["[STEP1]: a"])], len)
    assert candidates[0]["text"] == "[STEP1]: a\nb"


def test_another_verifier_needs_no_new_samples():
    trials = [
        trial("c1", 1, "long", "correct", "\\boxed{8}"),
        trial("c2", 1, "short", "correct", "\\boxed{7}"),
        trial("c3", 2, "long", "wrong", "nothing"),
    ]
    candidates, rejects = collect(trials, len, verdict_of)
    assert {c["candidate_id"]: (c["verdict"], c["answer"]) for c in candidates} == {
        "c1": ("wrong", "8"),
        "c2": ("correct", "7"),
    }
    assert reasons(rejects) == [("c3", "no_answer")]


def boxed_trace(last_step: str):
    return [
        trial("p.1.long.0", 1, "long", "correct", "x", step="[STEP1]: a", chosen=True),
        trial("p.2.short.0", 2, "short", "correct", "y", prefix=["[STEP1]: a"], step=last_step, chosen=True),
    ]


def test_the_kept_path_joins_when_its_last_step_holds_a_box():
    candidates, rejects = collect(boxed_trace("[STEP2]: \\boxed{7}"), len, verdict_of, greedy_path=True)
    assert len(rejects.rows) == 2  # the trials' own texts have no box for the new verifier
    assert candidates == [
        {
            "problem_id": "p",
            "candidate_id": "p.greedy",
            "round": 2,
            "mode": "short",
            "index": 0,
            "mode_path": ["long", "short"],
            "text": "[STEP1]: a\n[STEP2]: \\boxed{7}",
            "answer": "7",
            "verdict": "correct",
            "loosely_equal": False,
            "origin": "greedy_path",
            "n_tokens": 29,
            "n_steps": 2,
        }
    ]


def test_a_kept_path_that_cannot_be_decided_is_rejected():
    _, rejects = collect(boxed_trace("[STEP2]: \\boxed{?}"), len, verdict_of, greedy_path=True)
    assert ("p.greedy", "verify_timeout") in reasons(rejects)


def test_a_kept_path_without_a_box_is_no_candidate():
    candidates, rejects = collect(boxed_trace("[STEP2]: b"), len, verdict_of, greedy_path=True)
    assert candidates == [] and len(rejects.rows) == 2


def test_a_kept_path_must_be_graded():
    with pytest.raises(ValueError, match="verdict_of"):
        collect(boxed_trace("[STEP2]: \\boxed{7}"), len, greedy_path=True)


def test_length_units():
    candidate = {"n_tokens": 3, "text": "twelve chars"}
    assert (length_of(candidate, "tokens"), length_of(candidate, "chars")) == (3, 12)


@given(st.integers(0, 2**32), st.integers(1, 8), st.sampled_from(["terminal", "boxed_in_step"]))
def test_candidates_of_random_searches(salt, rounds, stop_rule):
    rules = dataclasses.replace(RULES, stop_rule=stop_rule)
    trials = play(explore(problem(), rules, PROMPTS), random_solver(salt))
    candidates, rejects = collect(trials, len, verdict_of, greedy_path=stop_rule == "boxed_in_step")
    greedy = [c for c in candidates if c["origin"] == "greedy_path"]
    greedy += [row for row in rejects.rows if row["sample_id"] == "p.greedy"]
    assert len(trials) + len(greedy) == len(candidates) + len(rejects.rows)
    assert {c["verdict"] for c in candidates} <= {"correct", "wrong"}
    assert len({" ".join(c["text"].split()) for c in candidates}) == len(candidates)
    by_id = {row["trial_id"]: row for row in trials}
    for c in candidates:
        assert c["n_steps"] == count_steps(c["text"])
        if c["origin"] == "pool":
            assert by_id[c["candidate_id"]]["finish_reason"] == "stop"
            assert len(c["mode_path"]) == len(by_id[c["candidate_id"]]["prefix"]) + 1
    # grading again with the same verifier changes nothing
    if stop_rule == "terminal":
        assert collect(trials, len) == (candidates, rejects)
    # candidates of the first rounds are those of a shorter search
    fewer = play(explore(problem(), dataclasses.replace(rules, rounds=rounds), PROMPTS), random_solver(salt))
    assert collect(up_to_round(trials, rounds), len) == collect(fewer, len)


def test_candidates_are_rows_of_their_table(tmp_path):
    candidates, _ = collect(play(explore(problem(), RULES, PROMPTS), toy_solver(3)), len)
    write_table(tmp_path / "candidates.parquet", CANDIDATES, candidates)
    order = sorted(candidates, key=lambda row: [row[name] for name in CANDIDATES.key])
    assert read_table(tmp_path / "candidates.parquet", CANDIDATES) == order
