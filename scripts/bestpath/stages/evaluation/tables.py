"""The tables of evaluation: answers, verdicts, numbers."""

from __future__ import annotations

from bestpath.core.tables import Table

SAMPLES = Table(
    "samples",
    {
        "problem_id": "string",
        "sample_id": "string",
        "decoding": "string",
        "role": "string",
        "prompt_sha": "string",
        "seed": "int64",
        "text": "string",
        "n_tokens": "int64",
        "n_prompt_tokens": "int64",
        "finish_reason": "string",
    },
    ("problem_id", "sample_id"),
)

SCORES = Table(
    "scores",
    {
        "problem_id": "string",
        "sample_id": "string",
        "decoding": "string",
        "answer": "string?",
        "verdict": "string",
        "rule": "string",
        "n_tokens": "int64",
        "finish_reason": "string",
    },
    ("problem_id", "sample_id"),
)

METRICS = Table(
    "metrics",
    {
        "model": "string",
        "dataset": "string",
        "metric": "string",
        "value": "float64",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "n": "int64",
    },
    ("model", "dataset", "metric"),
)
