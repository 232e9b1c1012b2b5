from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.tables import read_table, write_table
from bestpath.methods.recut.optimal import select, split_solved, suspect_gold
from bestpath.methods.recut.tables import OPTIMAL
from tests.methods.recut.toy import candidate, problem


def worked_example():
    """The candidates of the example on docs/recut.md, without the two rejected ones."""
    return [
        candidate("c1", "correct", 120),
        candidate("c2", "correct", 70, mode="short"),
        candidate("c3", "wrong", 150, round=2),
        candidate("c5", "wrong", 60, round=3),
    ]


def test_worked_example():
    [row] = select([problem()], worked_example())
    assert (row["candidate_id"], row["n_tokens"], row["solved"]) == ("c2", 70, True)
    assert (row["n_correct"], row["n_wrong"]) == (2, 2)
    assert (row["question"], row["answer"]) == (problem()["question"], "7")


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"n_tokens": 71}, {"n_steps": 5, "round": 9, "mode": "long", "index": 9}),
        ({"n_steps": 2}, {"round": 9, "mode": "long", "index": 9}),
        ({"round": 2}, {"mode": "long", "index": 9}),
        ({"mode": "long"}, {"index": 9}),
        ({"index": 10}, {"index": 9}),
    ],
)
def test_ties(worse, better):
    base = {"n_steps": 1, "round": 1, "mode": "short", "index": 0}
    both = {"a": worse, "b": better}
    pool = [candidate(name, "correct", 70) | base | columns for name, columns in both.items()]
    assert select([problem()], pool)[0]["candidate_id"] == "b"
    assert select([problem()], pool[::-1])[0]["candidate_id"] == "b"


def test_the_length_unit():
    pool = [candidate("a", "correct", 70, text="long text"), candidate("b", "correct", 71, text="text")]
    assert select([problem()], pool)[0]["candidate_id"] == "a"
    assert select([problem()], pool, "chars")[0]["candidate_id"] == "b"


def test_unsolved_problems_keep_their_row(tmp_path):
    problems = [problem("p"), problem("q"), problem("r")]
    rows = select(problems, [*worked_example(), candidate("q1", "wrong", 9, problem_id="q")])
    solved, unsolved = split_solved(rows)
    assert [row["problem_id"] for row in solved] == ["p"]
    assert [(row["problem_id"], row["n_wrong"], row["text"]) for row in unsolved] == [("q", 1, None), ("r", 0, None)]
    write_table(tmp_path / "optimal.parquet", OPTIMAL, rows)
    assert read_table(tmp_path / "optimal.parquet", OPTIMAL) == rows


def test_suspect_gold():
    def answers(problem_id, *said, verdict="wrong"):
        return [candidate(f"{problem_id}{i}", verdict, 9, problem_id=problem_id, answer=a) for i, a in enumerate(said)]

    problems = [problem(name) for name in ("agree", "differ", "single", "none", "solved")]
    pool = [
        *answers("agree", "1, 2", "1,2"),
        *answers("differ", "8", "9"),
        *answers("single", "8"),
        *answers("solved", "8", "8"),
        *answers("solved", "7", verdict="correct"),
    ]
    assert suspect_gold(select(problems, pool), pool) == [
        {
            "problem_id": "agree",
            "question": "What is the answer to agree?",
            "answer": "7",
            "candidates_say": "1,2",
            "n_candidates": 2,
        }
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["correct", "wrong"]), st.integers(1, 5), st.sampled_from(["long", "short"])),
        max_size=8,
    ),
    st.randoms(),
)
def test_the_optimal_path_is_the_shortest_correct_one_in_any_order(drawn, rng):
    pool = [candidate(f"c{i}", verdict, n, mode=mode) for i, (verdict, n, mode) in enumerate(drawn)]
    [row] = select([problem()], pool)
    rng.shuffle(pool)
    assert select([problem()], pool) == [row]
    correct = [c["n_tokens"] for c in pool if c["verdict"] == "correct"]
    assert row["n_tokens"] == min(correct, default=None)
