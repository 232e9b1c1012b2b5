"""The length-scaled reward and the choice between completions (docs/recut.md, reward and choice).

R(c) = (alpha I(c) - beta (1 - I(c))) / L(c), with I = 1 for a correct answer and L the completion's length. The
choice takes the highest tier, then the highest R, then the short mode, then the first sample. Two facts follow: for
alpha, beta > 0 the choice depends on neither of them, nor on whether the shared prefix is counted in L; and of two
wrong completions the *longer* one wins, whereas the paper's overview figure keeps the shorter (`both_wrong`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.methods.recut.order import MODE_RANK


@dataclass(frozen=True)
class RewardRules:
    """How completions are compared.

    both_wrong: which of two wrong completions wins: by the `formula` the longer, as in the paper's `figure` the
    shorter. unparsable_tier: a completion without an answer or cut at the token limit ranks `below_wrong`, or the
    `same` as a wrong one (as released, where a runaway beats every honest mistake).
    """

    alpha: float
    beta: float
    both_wrong: Literal["formula", "figure"]
    unparsable_tier: Literal["below_wrong", "same"]


@dataclass(frozen=True)
class Option:
    """What the choice looks at. `complete`: it ended by itself and has an answer. `length` 0: it is empty."""

    mode: str
    index: int
    correct: bool
    complete: bool
    length: int


def reward(option: Option, rules: RewardRules) -> float:
    """R of one completion; minus infinity for an empty one."""
    if option.length == 0:
        return float("-inf")
    return (rules.alpha if option.correct else -rules.beta) / option.length


def ranking(options: Sequence[Option], rules: RewardRules) -> list[int]:
    """The positions of the options, the best first."""
    return sorted(range(len(options)), key=lambda i: _sort_key(options[i], rules))


def _sort_key(option: Option, rules: RewardRules) -> tuple[int, float, int, int]:
    tier, value = _tier(option, rules), reward(option, rules)
    if rules.both_wrong == "figure" and tier in (_WRONG, _UNPARSABLE):
        value = -option.length
    return -tier, -value, MODE_RANK[option.mode], option.index


_EMPTY, _UNPARSABLE, _WRONG, _CORRECT = range(4)


def _tier(option: Option, rules: RewardRules) -> int:
    if option.length == 0:
        return _EMPTY
    if rules.unparsable_tier == "below_wrong" and not option.complete:
        return _UNPARSABLE
    return _CORRECT if option.correct else _WRONG
