from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.core.tables import Row
from bestpath.core.training_rows import TrainPrompt, split_dev
from bestpath.methods.recut.optimal import select
from bestpath.methods.recut.pairs import LOSERS, PairRules, build, check_enough, union
from bestpath.methods.recut.tables import PAIR_COLUMNS
from tests.methods.recut.test_optimal import worked_example
from tests.methods.recut.toy import NEUTRAL, TRAIN_PROMPT, candidate, pair_rules, problem

RULES = pair_rules()
RELEASED = pair_rules(rule="released")


def pairs_of(name, candidates, rules=RULES, prompt=TRAIN_PROMPT):
    """The ids of the pairs, and the reasons by problem (None) and by candidate."""
    rows, rejects = build(name, select([problem()], candidates), candidates, prompt, rules)
    reasons = {row["sample_id"]: row["reason"] for row in rejects.rows}
    return [(row["chosen_id"], row["rejected_id"]) for row in rows], reasons


def with_rules(**columns: Any) -> PairRules:
    return dataclasses.replace(RULES, **columns)


def test_worked_example_of_the_length_set():
    assert pairs_of("length", worked_example()) == ([("c2", "c1")], {})


@pytest.mark.parametrize(
    ("policy", "loser"), [("longest", "c3"), ("shortest", "c5"), ("length_matched", "c5"), ("median", "c5")]
)
def test_worked_example_of_the_accuracy_set(policy, loser):
    other = {"c3": "c5", "c5": "c3"}[loser]
    rules = with_rules(rejected={"accuracy": policy})
    assert pairs_of("accuracy", worked_example(), rules) == ([("c2", loser)], {other: "not_drawn"})


def test_the_released_rule_makes_a_wrong_winner_of_the_worked_example():
    for seed in range(20):
        [(chosen, rejected)], _ = pairs_of("accuracy", worked_example(), dataclasses.replace(RELEASED, seed=seed))
        assert chosen == "c5"
        assert rejected in {"c2", "c3"}


def test_worked_example_within_rho():
    pool = [c | {"n_tokens": 80} if c["candidate_id"] == "c1" else c for c in worked_example()]
    assert pairs_of("length", pool) == ([], {None: "no_longer_correct", "c1": "not_longer"})


@pytest.mark.parametrize(
    ("rho", "tokens", "kept"),
    [(1.2, 60, True), (1.2, 59, False), (1.1, 55, True), (1.1, 54, False), (1.0, 51, True), (1.0, 50, False)],
)
def test_rho_is_met_exactly(rho, tokens, kept):
    pool = [candidate("w", "correct", 50), candidate("l", "correct", tokens, round=2)]
    assert bool(pairs_of("length", pool, with_rules(rho=rho))[0]) is kept


def test_rows_are_conversations_with_the_ids_they_came_from():
    rows, _ = build("length", select([problem()], worked_example()), worked_example(), TRAIN_PROMPT, RULES)
    assert rows == [
        {
            "problem_id": "p",
            "prompt": [{"role": "user", "content": NEUTRAL.render(problem="What is the answer to p?")}],
            "chosen": [{"role": "assistant", "content": "c2".ljust(70, ".")}],
            "rejected": [{"role": "assistant", "content": "c1".ljust(120, ".")}],
            "chosen_id": "c2",
            "rejected_id": "c1",
            "chosen_tokens": 70,
            "rejected_tokens": 120,
        }
    ]
    assert tuple(rows[0]) == PAIR_COLUMNS


def test_the_bare_prompt_is_the_question_alone():
    bare = TrainPrompt("bare", NEUTRAL, count=lambda messages: len(messages[0].content))
    rows, _ = build("length", select([problem()], worked_example()), worked_example(), bare, RULES)
    assert rows[0]["prompt"] == [{"role": "user", "content": "What is the answer to p?"}]


@pytest.mark.parametrize(
    ("policy", "losers"),
    [
        ("longest", ["e", "d"]),
        ("shortest", ["b", "c"]),
        ("median", ["c", "d"]),
        ("length_matched", ["b", "c"]),
        ("all", ["b", "c", "d", "e"]),
    ],
)
def test_policies_with_two_pairs_a_problem(policy, losers):
    lengths = {"a": 100, "b": 120, "c": 130, "d": 140, "e": 150}
    pool = [candidate(name, "correct", n) for name, n in lengths.items()]
    pairs, reasons = pairs_of("length", pool, with_rules(rejected={"length": policy}, max_per_problem=2))
    assert pairs == [("a", loser) for loser in losers]
    assert reasons == {name: "not_drawn" for name in "bcde" if name not in losers}


def test_the_loser_matched_in_length_is_the_nearest_on_either_side():
    pool = [candidate("w", "correct", 100), *(candidate(str(n), "wrong", n, index=n) for n in (20, 80, 115, 190))]
    pairs, _ = pairs_of("accuracy", pool, with_rules(rejected={"accuracy": "length_matched"}, max_per_problem=3))
    assert pairs == [("w", "115"), ("w", "80"), ("w", "20")]


def test_random_losers_depend_on_seed_and_problem_alone():
    pool = [candidate("w", "correct", 50), *(candidate(f"l{i}", "wrong", 50 + i, index=i) for i in range(9))]
    drawn = {seed: pairs_of("accuracy", pool, with_rules(seed=seed))[0][0][1] for seed in range(60)}
    assert len(set(drawn.values())) == 9
    of_problems = {
        build("accuracy", select([problem(pid)], pool_), pool_, TRAIN_PROMPT, RULES)[0][0]["rejected_id"]
        for pid in "abcdefghij"
        for pool_ in [[c | {"problem_id": pid} for c in pool]]
    }
    assert len(of_problems) > 3
    alone = build("accuracy", select([problem()], pool), pool, TRAIN_PROMPT, RULES)[0]
    others = [c | {"problem_id": "a", "candidate_id": "a" + c["candidate_id"]} for c in pool]
    both = build("accuracy", select([problem("a"), problem()], others + pool), others + pool, TRAIN_PROMPT, RULES)[0]
    assert both[1:] == alone


def test_the_length_unit():
    pool = [
        candidate("w", "correct", 70, text="w" * 100),
        candidate("l", "correct", 80, text="l" * 121, round=2),
        candidate("s", "correct", 90, text="s" * 110, round=3),
    ]
    assert pairs_of("length", pool, with_rules(rho=1.15))[0] == [("w", "s")]
    assert pairs_of("length", pool, with_rules(rho=1.15, length_unit="chars"))[0] == [("w", "l")]


@pytest.mark.parametrize(
    ("name", "candidates", "reasons"),
    [
        ("length", [], {None: "unsolved"}),
        ("accuracy", [candidate("x", "wrong", 9)], {None: "unsolved"}),
        ("length", [candidate("w", "correct", 9)], {None: "no_longer_correct"}),
        ("accuracy", [candidate("w", "correct", 9)], {None: "no_wrong"}),
        (
            "accuracy",
            [candidate("w", "correct", 9), candidate("x", "wrong", 9, loosely_equal=True)],
            {None: "ambiguous_wrong", "x": "ambiguous_wrong"},
        ),
        (
            "accuracy",
            [candidate("w", "correct", 9), candidate("x", "wrong", 91), candidate("y", "wrong", 8, loosely_equal=True)],
            {None: "over_max_length", "x": "over_max_length", "y": "ambiguous_wrong"},
        ),
        (
            "length",
            [candidate("w", "correct", 91), candidate("x", "correct", 200)],
            {None: "over_max_length", "x": "over_max_length"},
        ),
        (
            "accuracy",
            [candidate("w", "correct", 91), candidate("x", "wrong", 20)],
            {None: "over_max_length", "x": "over_max_length"},
        ),
    ],
)
def test_why_a_problem_has_no_pair(name, candidates, reasons):
    assert pairs_of(name, candidates, with_rules(max_length=100)) == ([], reasons)


def test_a_pair_may_fill_the_length_exactly():
    pool = [candidate("w", "correct", 9), candidate("x", "wrong", 90)]  # and ten tokens of prompt
    assert pairs_of("accuracy", pool, with_rules(max_length=100))[0] == [("w", "x")]


def test_a_loosely_equal_answer_gives_way_to_a_clearly_wrong_one():
    pool = [
        candidate("w", "correct", 9),
        candidate("x", "wrong", 9, loosely_equal=True),
        candidate("y", "wrong", 9, index=1),
    ]
    assert pairs_of("accuracy", pool) == ([("w", "y")], {"x": "ambiguous_wrong"})


def test_identical_texts_cannot_pass():
    pool = [candidate("w", "correct", 9, text="same"), candidate("x", "wrong", 20, text="same")]
    with pytest.raises(AssertionError, match="identical_pair"):
        pairs_of("accuracy", pool)


def test_the_released_rule_pairs_a_lone_correct_candidate_with_itself():
    assert pairs_of("length", [candidate("w", "correct", 9)], RELEASED) == ([("w", "w")], {})


def test_the_released_rule_pairs_one_of_two_with_itself_half_of_the_time():
    pool = [candidate("w", "correct", 9), candidate("x", "correct", 20)]
    losers = [pairs_of("length", pool, dataclasses.replace(RELEASED, seed=seed))[0][0][1] for seed in range(400)]
    assert 160 <= losers.count("w") <= 240


def test_the_released_rule_without_mistakes_and_with_long_ones():
    assert pairs_of("accuracy", [candidate("w", "correct", 9)], RELEASED) == ([], {None: "no_wrong"})
    pool = [candidate("w", "correct", 9), candidate("x", "wrong", 91)]
    assert pairs_of("accuracy", pool, dataclasses.replace(RELEASED, max_length=100)) == (
        [],
        {None: "over_max_length", "x": "over_max_length"},
    )


def test_union():
    length, accuracy = ([{"problem_id": pid, "of": name} for pid in "ab"] for name in LOSERS)
    assert [(row["problem_id"], row["of"]) for row in union(length, accuracy)] == [
        ("a", "length"),
        ("a", "accuracy"),
        ("b", "length"),
        ("b", "accuracy"),
    ]


def test_dev_rows_are_those_of_dev_problems():
    problems = [problem("a"), problem("b", split="dev"), problem("c")]
    rows = [{"problem_id": pid, "n": n} for pid in "abc" for n in range(2)]
    train, dev = split_dev(rows, problems)
    assert [row["problem_id"] for row in train] == ["a", "a", "c", "c"]
    assert [row["problem_id"] for row in dev] == ["b", "b"]


def test_too_few_pairs_stop_with_the_counts_of_the_funnel():
    problems = [problem("p"), problem("q"), problem("r")]
    pool = [*worked_example(), candidate("r1", "correct", 9, problem_id="r")]
    optimal = select(problems, pool)
    rows, rejects = build("length", optimal, pool, TRAIN_PROMPT, RULES)
    with pytest.raises(UserError) as error:
        check_enough("length", rows, rejects.rows, optimal, RULES)
    assert "the length set has 1 pairs to train on, fewer than methods.recut.pairs.min_pairs = 50" in str(error.value)
    assert "(3 problems, 2 solved; solved ones without a pair: no_longer_correct 1)" in str(error.value)
    check_enough("length", rows, rejects.rows, optimal, with_rules(min_pairs=1))


POOL = st.lists(
    st.tuples(st.sampled_from(["correct", "wrong"]), st.integers(5, 120), st.booleans()), min_size=1, max_size=10
)
RANDOM_RULES = st.builds(
    pair_rules,
    seed=st.integers(0, 99),
    rho=st.sampled_from([1.0, 1.2, 2.0]),
    max_per_problem=st.integers(1, 3),
    max_length=st.sampled_from([60, 4096]),
    rejected=st.fixed_dictionaries(
        {
            "length": st.sampled_from(["longest", "random", "median", "all"]),
            "accuracy": st.sampled_from(["longest", "length_matched", "shortest", "random", "all"]),
        }
    ),
)


@given(POOL, RANDOM_RULES, st.sampled_from(["length", "accuracy"]))
def test_what_holds_for_every_fixed_pair(drawn, rules, name):
    pool = [candidate(f"c{i}", verdict, n, index=i, loosely_equal=verdict == "wrong" and loose)
            for i, (verdict, n, loose) in enumerate(drawn)]  # fmt: skip
    by_id: dict[str, Row] = {c["candidate_id"]: c for c in pool}
    pairs, reasons = pairs_of(name, pool, rules)
    shortest = min((c["n_tokens"] for c in pool if c["verdict"] == "correct"), default=None)
    for chosen_id, rejected_id in pairs:
        chosen, rejected = by_id[chosen_id], by_id[rejected_id]
        assert (chosen["verdict"], chosen["n_tokens"]) == ("correct", shortest)
        assert rejected["verdict"] == LOSERS[name]
        assert not rejected["loosely_equal"]
        assert chosen["text"] != rejected["text"]
        assert 10 + max(chosen["n_tokens"], rejected["n_tokens"]) <= rules.max_length
        if name == "length":
            assert rejected["n_tokens"] >= rules.rho * chosen["n_tokens"]
            assert rejected["n_tokens"] > chosen["n_tokens"]
    assert len({chosen for chosen, _ in pairs}) <= 1
    assert len(set(pairs)) == len(pairs)
    policy = rules.rejected[name]
    assert policy == "all" or len(pairs) <= rules.max_per_problem
    assert bool(pairs) != (None in reasons)
