from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.search import Grade
from bestpath.methods.recut.candidates import collect
from bestpath.methods.recut.explore import explore, sample_whole, up_to_round
from bestpath.methods.recut.funnel import funnel
from bestpath.methods.recut.optimal import select
from bestpath.methods.recut.pairs import LOSERS, build
from bestpath.methods.recut.sft import rejection_sampling, shortest
from tests.methods.recut.test_candidates import worked_example
from tests.methods.recut.toy import (
    NEUTRAL,
    PROMPTS,
    TRAIN_PROMPT,
    explore_rules,
    grade,
    pair_rules,
    play,
    problem,
    random_solver,
)

RULES = pair_rules()
TOKENS = {"A": 120, "B": 70, "C": 150, "D": 60, "E": 90}


def stages(problems, trials, count_tokens, rules, verdict_of=None, greedy_path=False):
    """All artifacts from the trials on, as the arguments of `funnel`."""
    candidates, rejects = collect(trials, count_tokens, verdict_of, greedy_path)
    optimal = select(problems, candidates, rules.length_unit)
    made = {f"pairs.{name}": build(name, optimal, candidates, TRAIN_PROMPT, rules) for name in LOSERS}
    made["sft.shortest"] = shortest(optimal, TRAIN_PROMPT, rules.max_length)
    made["sft.rejection_sampling"] = rejection_sampling(optimal, candidates, TRAIN_PROMPT, rules.max_length)
    sets = {stage: (rows, rejects.rows) for stage, (rows, rejects) in made.items()}
    return [problems, trials, candidates, rejects.rows, optimal, sets]


def lines(rows):
    return [" ".join(str(row[name]) for name in ("stage", "unit", "outcome", "reason", "n")) for row in rows]


def test_the_funnel_of_the_worked_example():
    problems = [problem("p"), problem("q")]
    rules = dataclasses.replace(RULES, rejected={"length": "longest", "accuracy": "longest"})
    rows = funnel(*stages(problems, worked_example(), TOKENS.__getitem__, rules))
    assert lines(rows)[:17] == [
        "problems problem in  2",
        "trials trial in  6",
        "candidates greedy_path in  0",
        "candidates candidate kept  4",
        "candidates trial rejected duplicate_text 1",
        "candidates trial rejected no_answer 1",
        "optimal problem kept  1",
        "optimal problem rejected unsolved 1",
        "pairs.length problem kept  1",
        "pairs.length problem rejected unsolved 1",
        "pairs.length row kept  1",
        "pairs.length row flawed wrong_winner 0",
        "pairs.length row flawed identical_pair 0",
        "pairs.accuracy problem kept  1",
        "pairs.accuracy problem rejected unsolved 1",
        "pairs.accuracy row kept  1",
        "pairs.accuracy candidate rejected not_drawn 1",
    ]


def test_the_funnel_counts_the_flaws_of_the_released_rule():
    rules = dataclasses.replace(RULES, rule="released")
    rows = funnel(*stages([problem()], worked_example(), TOKENS.__getitem__, rules))
    assert "pairs.accuracy row flawed wrong_winner 1" in lines(rows)
    lone = [row for row in worked_example() if row["trial_id"] in {"c2", "c3"}]
    rows = funnel(*stages([problem()], lone, TOKENS.__getitem__, rules))
    assert "pairs.length row flawed identical_pair 1" in lines(rows)


@pytest.mark.parametrize("lost", ["problem", "trial", "candidate", "reject", "optimal", "pair", "loser", "doubled"])
def test_a_loss_anywhere_is_noticed(lost):
    arguments = stages([problem("p"), problem("q")], worked_example(), TOKENS.__getitem__, RULES)
    rows, rejects = arguments[5]["pairs.accuracy"]
    if lost == "pair":
        arguments[5]["pairs.accuracy"] = ([], rejects)
    elif lost == "loser":
        arguments[5]["pairs.accuracy"] = (rows, [row for row in rejects if row["sample_id"] is None])
    elif lost == "doubled":
        arguments[2] = [*arguments[2], arguments[2][0]]
    else:
        position = ["problem", "trial", "candidate", "reject", "optimal"].index(lost)
        arguments[position] = arguments[position][1:]
    with pytest.raises(AssertionError, match="does not close"):
        funnel(*arguments)


@given(
    st.integers(0, 2**32),
    st.sampled_from(["terminal", "boxed_in_step"]),
    st.integers(1, 8),
    st.sampled_from(["fixed", "released"]),
    st.sampled_from(["tokens", "chars"]),
    st.sampled_from(["longest", "random", "median", "all"]),
    st.sampled_from([25, 4096]),
)
def test_the_funnel_closes_on_random_searches(salt, stop_rule, rounds, rule, unit, policy, max_length):
    problems = [problem(f"p{i}") for i in range(4)]
    rules = explore_rules(1, stop_rule=stop_rule)
    trials = [row for p in problems for row in play(explore(p, rules, PROMPTS), random_solver(salt))]
    of_pairs = pair_rules(
        2, rule=rule, length_unit=unit, max_length=max_length, rejected={"length": policy, "accuracy": policy}
    )
    arguments = stages(
        problems,
        up_to_round(trials, rounds),
        lambda text: len(text.split()),
        of_pairs,
        lambda problem_id, text: grade(Grade(text, "7")),
        greedy_path=stop_rule == "boxed_in_step",
    )
    rows = funnel(*arguments)
    flawed = sum(row["n"] for row in rows if row["outcome"] == "flawed")
    assert rule == "released" or flawed == 0


def test_the_funnel_closes_on_whole_samples():
    problems = [problem(f"p{i}") for i in range(5)]
    rules = explore_rules(1)
    trials = [row for p in problems for row in play(sample_whole(p, rules, NEUTRAL, 6), random_solver(3))]
    rows = funnel(*stages(problems, trials, len, RULES))
    assert "trials trial in  30" in lines(rows)
