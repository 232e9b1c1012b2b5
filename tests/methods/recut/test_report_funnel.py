from __future__ import annotations

from bestpath.methods.recut.funnel import funnel
from bestpath.methods.recut.report.funnel import flaws_of, section_of, steps_of
from bestpath.stages.report.blocks import Reject


def test_the_funnel_of_recut_s_own_counts_closes():
    problems = [{"problem_id": f"p{i}"} for i in range(3)]
    candidates = [
        {"problem_id": "p0", "candidate_id": "p0.1", "verdict": "correct"},
        {"problem_id": "p0", "candidate_id": "p0.2", "verdict": "correct"},
        {"problem_id": "p1", "candidate_id": "p1.1", "verdict": "correct"},
    ]
    trials = [{"trial_id": name} for name in ("p0.1", "p0.2", "p1.1", "p2.1")]
    reject = {"stage": "candidates", "problem_id": "p2", "sample_id": "p2.1", "reason": "truncated", "detail": ""}
    optimal = [
        {"problem_id": "p0", "candidate_id": "p0.1", "solved": True},
        {"problem_id": "p1", "candidate_id": "p1.1", "solved": True},
        {"problem_id": "p2", "candidate_id": None, "solved": False},
    ]
    pair = {"problem_id": "p0", "chosen_id": "p0.1", "rejected_id": "p0.2", "chosen": "a", "rejected": "b"}
    left_out = [
        {"problem_id": "p1", "sample_id": None, "reason": "no_longer_correct", "stage": "pairs.length", "detail": ""},
        {"problem_id": "p2", "sample_id": None, "reason": "unsolved", "stage": "pairs.length", "detail": ""},
    ]
    counts = funnel(problems, trials, candidates, [reject], optimal, {"pairs.length": ([pair], left_out)})
    steps = {step.label: step for step in steps_of(counts)}
    assert list(steps) == ["problems", "completions", "candidates", "solved", "length pairs"]
    assert all(step.lost == 0 for step in steps.values())
    assert steps["candidates"].rejects == (Reject("truncated", 1, "cut off at the token limit"),)
    assert {r.reason: r.n for r in steps["length pairs"].rejects} == {"no_longer_correct": 1, "unsolved": 1}
    assert steps["length pairs"].note == "1 rows"
    assert flaws_of(counts) == []
    (_, block) = section_of(counts).blocks
    assert list(block.steps) == list(steps.values())


def test_flawed_rows_are_told():
    count = {"stage": "pairs.accuracy", "unit": "row", "outcome": "flawed", "reason": "wrong_winner", "n": 91}
    assert flaws_of([count]) == ["accuracy pairs: 91 rows are flawed, wrong winner."]
