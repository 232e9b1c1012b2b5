"""The tables of GSI."""

from __future__ import annotations

from bestpath.core.tables import Table

_DRAW = {
    "problem_id": "string",
    "draw_id": "string",  # problem_id.t.phase.round.index
    "t": "int64",  # the iteration whose model drew it
    "phase": "string",  # plain, guided
    "strategy": "string",  # how it was helped; plain if it was not
    "round": "int64",  # 0 in the plain phase, from 1 in the guided one
    "index": "int64",
    "prompt_sha": "string",
    "seed": "int64",
    "prefix": "string",  # the beginning that was given; empty if none
    "prefix_share": "float64",  # of the reference solution's tokens
    "all_revealed": "bool",  # every reasoning line of the reference solution was given
    "feedback": "string?",  # the teacher's
    "text": "string",  # prefix and continuation
    "n_tokens": "int64",  # generated, without the prefix
    "n_prompt_tokens": "int64",
    "teacher_tokens": "int64",
    "finish_reason": "string",
    "error": "string?",
    "flags": "list[string]",
}

DRAWS = Table("gsi_draws", _DRAW, ("problem_id", "phase", "round", "index"))
"""A row is one answer, as drawn."""

GRADED = Table(
    "gsi_graded",
    {
        **_DRAW,
        "answer": "string?",
        "verdict": "string",  # see VERDICTS
        "output": "string?",  # of a program
    },
    ("problem_id", "phase", "round", "index"),
)
"""A row is one answer and its verdict."""

VERDICTS = (
    "correct",
    "wrong",
    "no_answer",
    "truncated",
    "exec_error",
    "exec_timeout",
    "no_output",
    "verify_timeout",
    "error",
    "not_done",
)
"""What became of an answer. `not_done` stands for a round whose help could not be had (`error` says why): nothing was
drawn, and the budget is not spent."""

SAMPLED = Table(
    "gsi_sampled",
    {
        "problem_id": "string",
        "draw_id": "string",
        "level": "int64?",
        "phase": "string",
        "strategy": "string",
        "round": "int64",
        "verdict": "string",
        "n_tokens": "int64",
        "teacher_tokens": "int64",
        "prefix_share": "float64",
        "all_revealed": "bool",
        "valid": "bool?",  # every equation holds and goes on from the one before, up to the answer; null without any
        "flags": "list[string]",
        "kept": "bool",
        "drop_reason": "string?",
    },
    ("problem_id", "draw_id"),
)
"""A row is one answer and what became of it: a row of the next training set, or why not."""

PERPLEXITIES = Table(
    "gsi_perplexities",
    {"row": "int64", "problem_id": "string", "nll": "float64", "n_tokens": "int64", "perplexity": "float64"},
    ("row",),
)
"""A row is one row of a training set, by its place, as the base finds it: `nll` in nats, summed over its tokens."""

AUDIT = Table(
    "gsi_audit",
    {
        "problem_id": "string",
        "draw_id": "string",
        "gold": "string",
        "answer": "string?",
        "verdict": "string",
        "released_answer": "string",
        "released_correct": "bool",
    },
    ("problem_id", "draw_id"),
)
"""A row is one plain draw under both verifiers, ours and the released one."""

QUESTIONS = Table(
    "gsi_questions",
    {
        "problem_id": "string",
        "level": "int64?",
        "n_plain": "int64",
        "n_guided": "int64",
        "n_correct": "int64",
        "n_rows": "int64",  # in the next training set
        "verdicts": "string",  # how many of each, as JSON
        "tail_lost": "bool",  # no correct answer
        "suspect_gold": "string?",  # the one other answer that all guided draws agree on
    },
    ("problem_id",),
)
"""A row is one question of the pool."""

TAIL = Table("gsi_tail", {"metric": "string", "group": "string", "value": "float64"}, ("metric", "group"))
"""A row is one number about the tail (docs/gsi.md, 10); `group` is a level, a bin or a quantile, empty for a total."""

SFT_COLUMNS = (
    "problem_id",
    "prompt",
    "completion",
    "sample_id",
    "n_tokens",
    "gold",
    "origin",
    "phase",
    "strategy",
    "round",
)
"""The keys of a training row (JSONL); prompt and completion are lists of messages, `origin` is reference or sampled."""
