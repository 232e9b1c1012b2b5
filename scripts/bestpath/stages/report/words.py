"""Codes that every method shares, in plain words: why rows were rejected, how training warns and what it chooses by."""

from __future__ import annotations

from collections.abc import Mapping

REASONS = {
    "bad_question": "the problem or its answer is missing",
    "duplicate_question": "the same problem occurs before",
    "contaminated": "shares a long run of words with a test problem",
    "bad_gold": "the given answer does not fit the data set",
    "prompt_too_long": "the prompt leaves no room in the context",
    "engine_error": "the engine failed twice",
    "truncated": "cut off at the token limit",
    "no_answer": "no final answer could be read",
    "verify_timeout": "correctness could not be decided in time",
    "duplicate_text": "the same text was drawn before",
    "over_max_length": "too long to train on without cutting",
}

TRAINING_WARNINGS = {
    "trivial_separation": "every dev pair is ranked right from the first evaluation on, so winners and losers may "
    "differ in something trivial, such as their length",
    "chosen_logp_fall": "the log-probability of the winners fell by more than 30 %",
    "length_unchanged": "the mean length on the dev problems moved by less than 2 %",
    "less_accurate": "the chosen checkpoint is less accurate on the dev problems than the base by more than one "
    "standard error",
}

CHOICE = {
    "length": "the fewest mean tokens on the dev split among those no less accurate than the base less one standard "
    "error",
    "accuracy": "the highest accuracy on the dev split; ties go to fewer tokens",
    "last": "the last one, whatever it reads on the dev split",
}
"""How a checkpoint and a learning rate are chosen, by criterion."""


def in_words(reason: str, own: Mapping[str, str] | None = None) -> str:
    """What a reason code means, by a method's own words or the common ones; the code itself when it has none."""
    return (own or {}).get(reason) or REASONS.get(reason, reason.replace("_", " "))
