from __future__ import annotations

from bestpath.methods.recut.optimal import select
from bestpath.methods.recut.sft import rejection_sampling, shortest
from bestpath.methods.recut.tables import SFT_COLUMNS
from tests.methods.recut.test_optimal import worked_example
from tests.methods.recut.toy import NEUTRAL, TRAIN_PROMPT, candidate, problem

PROBLEMS = [problem("p"), problem("q"), problem("r")]
POOL = [
    *worked_example(),
    candidate("q1", "wrong", 9, problem_id="q"),
    candidate("r1", "correct", 95, problem_id="r"),
]
OPTIMAL = select(PROBLEMS, POOL)


def test_shortest_is_the_optimal_path_of_each_solved_problem():
    rows, rejects = shortest(OPTIMAL, TRAIN_PROMPT, 4096)
    assert [(row["problem_id"], row["candidate_id"], row["n_tokens"]) for row in rows] == [
        ("p", "c2", 70),
        ("r", "r1", 95),
    ]
    assert tuple(rows[0]) == SFT_COLUMNS
    assert rows[0]["prompt"] == [{"role": "user", "content": NEUTRAL.render(problem="What is the answer to p?")}]
    assert rows[0]["completion"] == [{"role": "assistant", "content": "c2".ljust(70, ".")}]
    assert [(row["problem_id"], row["reason"]) for row in rejects.rows] == [("q", "unsolved")]


def test_rejection_sampling_takes_every_correct_candidate():
    rows, rejects = rejection_sampling(OPTIMAL, POOL, TRAIN_PROMPT, 4096)
    assert [row["candidate_id"] for row in rows] == ["c2", "c1", "r1"]
    assert [(row["problem_id"], row["reason"]) for row in rejects.rows] == [("q", "unsolved")]


def test_long_rows_are_rejected_and_not_cut():
    rows, rejects = rejection_sampling(OPTIMAL, POOL, TRAIN_PROMPT, 100)
    assert [row["candidate_id"] for row in rows] == ["c2"]
    assert [(row["problem_id"], row["sample_id"], row["reason"]) for row in rejects.rows] == [
        ("p", "c1", "over_max_length"),
        ("q", None, "unsolved"),
        ("r", "r1", "over_max_length"),
        ("r", None, "over_max_length"),
    ]
