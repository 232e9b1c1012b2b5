"""ReCUT's codes in plain words: why rows were rejected, why a search ended, why a step was kept."""

from __future__ import annotations

from collections.abc import Sequence

from bestpath.core.tables import Row
from bestpath.stages.report.words import in_words

REASONS = {
    "unsolved": "no correct candidate",
    "no_correct": "no correct candidate",
    "no_longer_correct": "no correct candidate is clearly longer than the best",
    "no_wrong": "no wrong candidate to learn from",
    "not_longer": "correct, but not clearly longer than the winner",
    "not_drawn": "could lose too, but another one was drawn",
    "ambiguous_wrong": "a laxer comparison would call it correct",
    "identical_pair": "winner and loser are the same text",
    "no_step_marker": "no step marker",
    "wrong_step_number": "no step with the number asked for",
    "empty_step": "the step is empty",
    "unfinished_step": "cut off within the step",
    "repeated_step": "repeats a step that was kept before",
    "finished": "the path is complete",
    "stalled": "no completion had a usable step",
    "round_cap": "all rounds were used",
}

STOPS = {
    "finished": "The kept completion ends with this step: the path is complete.",
    "stalled": "No completion of the last round has a usable step: the search stalls.",
    "repeated_step": "The best step repeats one that was kept before: the search ends.",
    "prompt_too_long": "The prompt no longer fits the context: the search ends.",
    "engine_error": "The engine failed: the search ends.",
    "round_cap": "All rounds were used: the search ends.",
}

BOTH_WRONG_LONGER = "both wrong: the formula keeps the longer"
BOTH_WRONG_SHORTER = "both wrong: the shorter is kept, as in the paper's figure"


def meaning(reason: str) -> str:
    """What a reason code means."""
    return in_words(reason, REASONS)


def why_kept(sides: Sequence[Row]) -> str:
    """Why a round kept the step it kept, from its rows of the trials table.

    The words follow from the verdicts, lengths and rewards alone; they restate the rule and do not apply it.
    """
    kept = next((side for side in sides if side["chosen"]), None)
    others = [side for side in sides if side is not kept]
    if kept is None:
        return _why_none(sides)
    if kept["switched"]:
        reasons = {meaning(side["step_reject"]) for side in others if side["step_reject"]}
        return (
            f"another completion ranks higher but has no usable step ({', '.join(sorted(reasons))}): "
            f"the {kept['mode']} one's step is taken"
        )
    if not others:
        return "the only completion"
    rival = max(others, key=_rank)
    pair = "both" if len(sides) == 2 else "the best two"
    if _correct(kept):
        if not _correct(rival):
            return f"only the {kept['mode']} one is correct" if len(sides) == 2 else "the others are wrong"
        if kept["reward"] == rival["reward"]:
            return f"{pair} correct with the same reward: the tie goes to {kept['mode']}"
        return f"{pair} correct: the shorter completion wins"
    if _complete(kept) and not _complete(rival):
        return f"none is correct; the {kept['mode']} one at least ends with an answer"
    if kept["reward"] == rival["reward"]:
        return f"{pair} wrong with the same reward: the tie goes to {kept['mode']}"
    if not _complete(kept) and not _complete(rival):
        return "none ends with an answer: the better-rewarded is kept"
    return BOTH_WRONG_LONGER if _reward(kept) > _reward(rival) else BOTH_WRONG_SHORTER


def _why_none(sides: Sequence[Row]) -> str:
    if any(side["stop"] == "repeated_step" for side in sides):
        return "the best step repeats a kept one: nothing is kept"
    reasons = {meaning(side["step_reject"]) for side in sides if side["step_reject"]}
    if reasons:
        return f"nothing is kept: {', '.join(sorted(reasons))}"
    return "whole solutions: no step is chosen among them"


def _correct(side: Row) -> bool:
    return bool(side["verdict"] == "correct" and side["finish_reason"] == "stop")


def _complete(side: Row) -> bool:
    return bool(side["finish_reason"] == "stop" and side["answer"] is not None)


def _reward(side: Row) -> float:
    return float("-inf") if side["reward"] is None else float(side["reward"])


def _rank(side: Row) -> tuple[bool, bool, float]:
    return _correct(side), _complete(side), _reward(side)
