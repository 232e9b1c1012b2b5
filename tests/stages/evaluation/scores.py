"""Scored samples, as tests of the evaluation need them."""

from __future__ import annotations

from hypothesis import strategies as st

from bestpath.core.systems import Comparison
from bestpath.stages.evaluation.comparison import RESAMPLES, compare


def score(problem, sample=0, verdict="correct", n_tokens=10, finish="stop"):
    return {
        "problem_id": problem,
        "sample_id": f"{problem}.{sample}",
        "answer": None if verdict == "no_answer" else "1",
        "verdict": verdict,
        "rule": "boxed",
        "n_tokens": n_tokens,
        "finish_reason": finish,
    }


def several(tokens, verdict="correct"):
    return [score(f"p{i}", n_tokens=n, verdict=verdict) for i, n in enumerate(tokens)]


def compared(model, base, seed, resamples=RESAMPLES) -> Comparison:
    """Two systems, each by its seeds."""
    return compare({"base": base, "model": model}, seed, resamples)[0]["model"]


verdicts = st.sampled_from(["correct", "wrong", "no_answer", "timeout"])
outcomes = st.tuples(verdicts, st.integers(1, 300), st.sampled_from(["stop", "stop", "length"]))


@st.composite
def scored(draw, problems=None):
    """Scores of some problems, one to three samples each."""
    problems = draw(st.integers(2, 8)) if problems is None else problems
    rows = []
    for p in range(problems):
        for i, (verdict, n_tokens, finish) in enumerate(draw(st.lists(outcomes, min_size=1, max_size=3))):
            rows.append(score(f"p{p}", i, verdict, n_tokens, finish))
    return rows


@st.composite
def two_systems(draw):
    problems = draw(st.integers(2, 8))
    return draw(scored(problems)), draw(scored(problems))
