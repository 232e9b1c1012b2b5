"""What help may do to a text: it is copied, it is mentioned, or the text goes round in circles (spec 5)."""

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
"""A text is a copy of its reference from this share of equal tokens on."""

_REPEATS = 3
_SHORTEST_OVERLAP = 8  # characters; shorter ones come by chance
_WORDS = re.compile(r"\w+|[^\w\s]")
_NUMBERING = re.compile(r"^\W*(?:step\s*)?\d*\W*", re.IGNORECASE)


def mentions_help(text: str, patterns: Iterable[str] = HINTS) -> bool:
    """Whether a text speaks of help that its reader does not see."""
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def words_of(text: str) -> str:
    """What makes two answers equal: their words up to a further problem, whatever the white space."""
    return " ".join(before_new_problem(text).split())


def similarity(text: str, reference: str) -> float:
    """The share of tokens (words, numbers, signs) that two texts have in common, in order: 1.0 for a copy."""
    return SequenceMatcher(None, _WORDS.findall(text), _WORDS.findall(reference), autojunk=False).ratio()


def is_copy(text: str, reference: str | None) -> bool:
    """Whether a text is its reference, word for word or nearly."""
    return bool(reference) and similarity(text, reference or "") >= COPY


def loops(text: str) -> bool:
    """Whether a text says the same line three times, numbering aside."""
    said = Counter(_NUMBERING.sub("", line).strip() for line in text.splitlines())
    return any(n >= _REPEATS for line, n in said.items() if line)


def without_overlap(prefix: str, continuation: str) -> str:
    """A continuation without what it repeats of the end of its prefix: the longest such beginning."""
    for length in range(min(len(prefix), len(continuation)), _SHORTEST_OVERLAP - 1, -1):
        if prefix.endswith(continuation[:length]):
            return continuation[length:]
    whole = prefix.rstrip("\n")  # it may begin the answer anew
    if len(whole) >= _SHORTEST_OVERLAP and continuation.lstrip().startswith(whole):
        return continuation.lstrip()[len(whole) :].removeprefix("\n")
    return continuation


def tells_answer(feedback: str, answer: str) -> bool:
    """Whether feedback states the gold answer as a value of its own."""
    if not answer.strip():
        return False
    return re.search(rf"(?<![\w.]){re.escape(answer.strip())}(?![\w]|[.,]\d)", feedback) is not None
