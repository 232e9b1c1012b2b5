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
        "text": "string",  # all that was written, for reading
        "output": "string",  # what is graded of it
        "n_tokens": "int64",
        "n_prompt_tokens": "int64",
        "calls": "string",  # JSON {role: {calls, tokens}}
        "finish_reason": "string",
        "trace": "string?",  # JSON of how the answer came about, for the path explorer; null where it was asked once
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
        "verdict": "string",  # correct, wrong, no_answer, timeout, ungraded
        "rule": "string",
        "n_tokens": "int64",
        "finish_reason": "string",
    },
    ("problem_id", "sample_id"),
)

METRICS = Table(
    "metrics",
    {
        "system": "string",
        "reference": "string?",
        "dataset": "string",
        "decoding": "string",
        "metric": "string",
        "value": "float64",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "n": "int64",
    },
    ("system", "dataset", "decoding", "metric", "reference"),
)
"""One number a row, of a system or of a system against a reference, by their labels; methods add rows of their own."""

DIFFERENCES = Table(
    "differences",
    {
        "system": "string",
        "reference": "string",
        "dataset": "string",
        "decoding": "string",
        "metric": "string",
        "value": "float64",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "n": "int64",
    },
    ("dataset", "decoding", "metric"),
)
"""Any two systems, each pair once; within a data set, decoding and metric in the order of the result table.

The reference of a pair is that of the experiment, or else the earlier system. `accuracy` is a difference of shares,
`tokens` a ratio of mean lengths, on `n` problems.
"""
