from __future__ import annotations

from bestpath.methods.recut.funnel import funnel
from bestpath.stages.report.sources import answers_of, cost_of, flaws_of, funnel_of, greedy, lengths_of


def test_cost_sums_jobs_and_completions():
    rows = [{"n_tokens": 3, "n_prompt_tokens": 10}, {"n_tokens": 4, "n_prompt_tokens": 20}]
    explore = cost_of("recut_explore", [{"s": 1.5}, {"s": 2.5}], rows)
    assert (explore.seconds, explore.generations, explore.generated, explore.prompt) == (4, 2, 7, 30)
    assert cost_of("merge", [{"s": 1.0}]).generated is None


def test_the_answers_of_a_problem_keep_the_order_of_the_systems():
    sample = {"problem_id": "p", "text": "so 5", "n_tokens": 9, "finish_reason": "length"}
    wrong, right = {"verdict": "wrong", "answer": None}, {"verdict": "correct", "answer": "5"}
    found = answers_of([("base", [sample], [wrong]), ("merged", [{**sample, "finish_reason": "stop"}], [right])])
    assert [(a.system, a.verdict, a.note) for a in found["p"]] == [
        ("base", "wrong", "cut off"),
        ("merged", "correct", ""),
    ]


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


def test_lengths_are_those_of_the_greedy_samples_of_all_seeds():
    def row(decoding, n_tokens, finish="stop"):
        return {"decoding": decoding, "n_tokens": n_tokens, "finish_reason": finish}

    base, other = {"system": "base", "kind": "base"}, {"system": "length specialist", "kind": "specialist"}
    scored = [
        (base, [row("greedy", 9), row("greedy", 0, "error"), row("sampled", 5)]),
        (other, [row("greedy", 4)]),
        (other, [row("greedy", 6)]),
        ({"system": "left out", "kind": "merged"}, [row("greedy", 1)]),
    ]
    shown = lengths_of(scored, {"base", "length specialist"})
    assert [(lengths.system, lengths.tokens) for lengths in shown] == [("base", (9,)), ("length specialist", (4, 6))]


def test_without_greedy_samples_the_first_decoding_stands_for_them():
    rows = [{"decoding": name} for name in ("sampled", "cold")]
    assert greedy(rows) == [{"decoding": "cold"}]
