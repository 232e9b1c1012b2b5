"""What help may do to a text: it is copied or mentioned, or the text goes round in circles (docs/gsi.md, 7)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

from bestpath.answers.extraction import before_new_problem

HINTS = (
    r"\bthe (?:given|provided) (?:final )?answer\b",
    r"\b(?:given|provided|according to the|in the) reference\b",
    r"\breference solution\b",
    r"\bthe (?:feedback|correction|hint)\b",
    r"\b(?:as|since) (?:the answer|it) (?:is|was) given\b",
)
"""Mentions of help that the trained model will not have."""

COPY = 0.95
"""A text is a copy of its reference solution from this share of equal tokens on."""

_REPEATS = 3
_WORDS = re.compile(r"\w+|[^\w\s]")
_NUMBERING = re.compile(r"^\W*(?:step\s*)?\d*\W*", re.IGNORECASE)


def mentions_help(text: str, patterns: Iterable[str] = HINTS) -> bool:
    """Whether a text speaks of help that its reader does not see."""
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def words_of(text: str) -> str:
    """What makes two answers equal: their words up to a further problem, whatever the white space."""
    return " ".join(before_new_problem(text).split())


def similarity(text: str, solution: str) -> float:
    """The share of tokens (words, numbers, signs) that two texts have in common, in order: 1.0 for a copy."""
    return SequenceMatcher(None, _WORDS.findall(text), _WORDS.findall(solution), autojunk=False).ratio()


def is_copy(text: str, solution: str | None) -> bool:
    """Whether a text is its reference solution, word for word or nearly."""
    return bool(solution) and similarity(text, solution or "") >= COPY


def loops(text: str) -> bool:
    """Whether a text says the same line three times, numbering aside."""
    said = Counter(_NUMBERING.sub("", line).strip() for line in text.splitlines())
    return any(n >= _REPEATS for line, n in said.items() if line)


def tells_answer(feedback: str, answer: str) -> bool:
    """Whether feedback states the gold answer as a value of its own."""
    if not answer.strip():
        return False
    return re.search(rf"(?<![\w.]){re.escape(answer.strip())}(?![\w]|[.,]\d)", feedback) is not None
