from __future__ import annotations

import math

import pytest

from bestpath.methods.recut.funnel import funnel
from bestpath.stages.report.sources import (
    answer_of,
    cost_of,
    flaws_of,
    funnel_of,
    lengths_of,
    merge_of,
    training_run,
    training_warnings,
)


def metric(step, name, value):
    return {"step": step, "name": name, "value": value}


METRICS = [
    *(metric(step, "train/loss", 0.7 - step / 100) for step in (20, 10)),
    metric(10, "train/rewards/margins", 0.1),
    metric(10, "dev/loss", 0.65),
    *(metric(step, "readout/accuracy", 0.9) for step in (0, 10, 20)),
    *(metric(step, "readout/mean_tokens", 80.0 - step) for step in (0, 10, 20)),
    *(metric(step, "readout/standard_error", 0.02) for step in (0, 10, 20)),
    metric(20, "chosen", 1.0),
    metric(20, "warning/length_unchanged", 1.0),
]


def test_a_training_run_comes_from_its_metrics():
    run = training_run(METRICS, 2e-5, 1, taken=True)
    assert run.loss == ((10, pytest.approx(0.6)), (20, pytest.approx(0.5)))
    assert run.margin == ((10, 0.1),)
    assert [(r.step, r.tokens) for r in run.readouts] == [(0, 80), (10, 70), (20, 60)]
    assert run.chosen_step == 20
    assert training_run(METRICS, 2e-5, 1, taken=False).chosen_step is None


def test_a_run_without_readouts_has_none():
    assert training_run([metric(1, "train/loss", 0.5)], 1e-5, 1, taken=True).readouts == ()


def test_training_warnings_are_sentences():
    (warning,) = training_warnings("length specialist", METRICS)
    assert warning == "length specialist: the mean length on the dev problems moved by less than 2 %."


@pytest.mark.parametrize(("cosine", "mean"), [(1.0, 1.5), (0.0, math.sqrt(5) / 2), (-1.0, 0.5)])
def test_a_merge_s_norm_is_set_against_the_mean_of_the_deltas(cosine, mean):
    total = {
        "norm/length": 1.0,
        "norm/accuracy": 2.0,
        "norm/merged": 3.0,
        "cosine/length/accuracy": cosine,
        "sign_agreement/length/accuracy": 0.6,
        "changed": 0.9,
    }
    merge = merge_of("ties", "ties, density 1", total, ("length", "accuracy"), None, chosen=True)
    assert merge.norm_ratio == pytest.approx(3 / mean)
    assert (merge.cosine, merge.sign_agreement, merge.changed, merge.dev_tokens) == (cosine, 0.6, 0.9, None)


def test_opposite_deltas_have_no_mean_to_compare_with():
    total = {
        "norm/a": 1.0,
        "norm/b": 1.0,
        "norm/merged": 1.0,
        "cosine/a/b": -1.0,
        "sign_agreement/a/b": 0,
        "changed": 1,
    }
    assert merge_of("m", "", total, ("a", "b"), {"accuracy": 0.9, "mean_tokens": 5}, chosen=False).norm_ratio is None


def test_cost_sums_jobs_and_completions():
    rows = [{"n_tokens": 3, "n_prompt_tokens": 10}, {"n_tokens": 4, "n_prompt_tokens": 20}]
    explore = cost_of("recut_explore", [1.5, 2.5], rows)
    assert (explore.seconds, explore.generations, explore.generated, explore.prompt) == (4, 2, 7, 30)
    assert cost_of("merge", [1.0]).generated is None


def test_answers_and_lengths():
    sample = {"text": "so 5", "n_tokens": 9, "finish_reason": "length"}
    score = {"verdict": "wrong", "answer": None, "n_tokens": 9, "finish_reason": "length"}
    answer = answer_of("base, greedy", sample, score)
    assert (answer.text, answer.tokens, answer.verdict, answer.note) == ("so 5", 9, "wrong", "cut off")
    assert lengths_of("base", "base", [score, score | {"finish_reason": "error"}]).tokens == (9,)


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
    steps = {step.label: step for step in funnel_of(counts)}
    assert list(steps) == ["problems", "completions", "candidates", "solved", "length pairs"]
    assert all(step.lost == 0 for step in steps.values())
    assert steps["candidates"].rejects == (("truncated", 1),)
    assert dict(steps["length pairs"].rejects) == {"no_longer_correct": 1, "unsolved": 1}
    assert steps["length pairs"].note == "1 rows"
    assert flaws_of(counts) == []


def test_flawed_rows_are_told():
    count = {"stage": "pairs.accuracy", "unit": "row", "outcome": "flawed", "reason": "wrong_winner", "n": 91}
    assert flaws_of([count]) == ["accuracy pairs: 91 rows are flawed, wrong winner."]
