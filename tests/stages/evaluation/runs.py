"""Runs of made-up systems."""

from __future__ import annotations

import random

from bestpath.stages.evaluation.results import Run, results_of


def run(system, accuracy, tokens, decoding="greedy", kind="specialist", n=400, seed=0, variant="main", cut=0.0, **more):
    """A run whose first `accuracy` share of problems is right; lengths spread a little around `tokens`."""
    rng = random.Random(f"{system}{decoding}{seed}")
    scores = [
        {
            "problem_id": f"p{i:03}",
            "sample_id": f"p{i:03}.0",
            "answer": "1",
            "verdict": "correct" if i < accuracy * n else "wrong",
            "rule": "boxed",
            "n_tokens": tokens + rng.randint(-9, 9),
            "finish_reason": "length" if i >= n - cut * n else "stop",
        }
        for i in range(n)
    ]
    return Run(system, kind, "test", decoding, 160, scores, variant, seed, **more)


def base(**more):
    return run("base", 0.9, 76, kind="base", **more)


def results(*runs):
    """The lines of the result table."""
    return results_of(runs, seed=1, resamples=500).systems
