"""The tables of ReCUT and the order in which its rows are compared."""

from __future__ import annotations

from bestpath.core.tables import Table

TRIALS = Table(
    "recut_trials",
    {
        "problem_id": "string",
        "trial_id": "string",  # problem_id.round.mode.index
        "round": "int64",  # from 1
        "mode": "string",  # long, short, neutral
        "index": "int64",  # of the sample within its round and mode, from 0
        "prompt_sha": "string",
        "seed": "int64",
        "prefix": "list[string]",  # the steps kept before this round
        "text": "string",  # the completion, without the prefix
        "n_tokens": "int64",
        "n_prompt_tokens": "int64",
        "finish_reason": "string",  # stop, length, error
        "error": "string?",
        "answer": "string?",
        "verdict": "string",  # correct, wrong, no_answer, timeout
        "loosely_equal": "bool",
        "reward": "float64?",  # null after an error
        "step": "string?",  # the next step, normalised
        "step_reject": "string?",  # why there is none
        "chosen": "bool",  # its step was kept
        "switched": "bool",  # kept only because the better-rewarded ones had no usable step
        "terminal": "bool",  # it completes the solution within its next step
        "stop": "string?",  # why the search ended; on every trial of the last round
    },
    ("problem_id", "round", "mode", "index"),
)
"""A row is one completion."""

CANDIDATES = Table(
    "recut_candidates",
    {
        "problem_id": "string",
        "candidate_id": "string",  # its trial_id, or problem_id.greedy
        "round": "int64",
        "mode": "string",
        "index": "int64",
        "mode_path": "list[string]",  # the modes of the kept steps, then its own
        "text": "string",  # the full trajectory: prefix and completion
        "n_tokens": "int64",  # of the full trajectory
        "n_steps": "int64",
        "answer": "string",
        "verdict": "string",  # correct, wrong
        "loosely_equal": "bool",
        "origin": "string",  # pool, greedy_path
    },
    ("problem_id", "round", "mode", "index", "candidate_id"),
)
"""A row is one complete, parsable and verified trajectory of a problem; no two have the same text."""

OPTIMAL = Table(
    "recut_optimal",
    {
        "problem_id": "string",
        "question": "string",
        "answer": "string",
        "solved": "bool",
        "candidate_id": "string?",
        "text": "string?",
        "n_tokens": "int64?",
        "mode_path": "list[string]?",
        "n_correct": "int64",
        "n_wrong": "int64",
    },
    ("problem_id",),
)
"""A row is one problem with its shortest correct candidate, if it has one."""

PAIR_COLUMNS = (
    "problem_id",
    "prompt",
    "chosen",
    "rejected",
    "chosen_id",
    "rejected_id",
    "chosen_tokens",
    "rejected_tokens",
)
"""The keys of a preference pair (JSONL); prompt, chosen and rejected are lists of messages."""

SFT_COLUMNS = ("problem_id", "prompt", "completion", "candidate_id", "n_tokens")
"""The keys of a supervised row (JSONL); prompt and completion are lists of messages."""
