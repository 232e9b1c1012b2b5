"""The path explorer's data: problems, what was tried in every round, what was kept and why. No method is known here.

A round of a search is a round; so is a turn of a dialogue, a refinement, a segment, or a battle: its alternatives are
whatever stood beside each other there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

LIMIT = 60
MAX_CHARS = 1_200  # of each part of a shown text; what is left out is said


@dataclass(frozen=True)
class Alternative:
    """One completion of a round. `before`, `kept_part` and `after` make up its text; `kept_part` is the part to keep.

    `title` says what it is (a mode, a role, a model), `verdict` is one of correct, wrong, no_answer and timeout, or
    None where nothing is judged. `scores` are named numbers, and `note` says what else there is to know.
    """

    title: str
    before: str
    kept_part: str = ""
    after: str = ""
    tokens: int | None = None
    finish: str = "stop"
    verdict: str | None = None
    answer: str | None = None
    scores: tuple[tuple[str, float], ...] = ()
    note: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Round:
    """One round: its alternatives, what came of it (`long kept`), and why."""

    title: str
    alternatives: tuple[Alternative, ...]
    outcome: str
    why: str


@dataclass(frozen=True)
class Answer:
    """A whole answer of a system to a problem; `best` points it out."""

    system: str
    text: str
    tokens: int
    verdict: str | None
    answer: str | None
    note: str = ""
    best: bool = False


@dataclass(frozen=True)
class ExploredPath:
    """One explored problem: its rounds, how they end, and whole answers to it under a conclusion.

    `summary` stands under the question in the list. `gold` is None where there is no right answer.
    """

    id: str
    question: str
    gold: str | None
    tags: tuple[str, ...]
    rounds: tuple[Round, ...]
    end: str
    summary: str = ""
    conclusion: str = ""
    answers: tuple[Answer, ...] = ()


def most_instructive(
    paths: Sequence[ExploredPath], tags: Collection[str], limit: int = LIMIT
) -> tuple[ExploredPath, ...]:
    """At most `limit` paths in the order of their ids, every tag represented as evenly as they allow.

    Tag by tag, the rarest first, takes the clearest case (the fewest other tags) that is left.
    """
    rarity = {tag: sum(tag in path.tags for path in paths) for tag in tags}
    queues = {
        tag: sorted((p for p in paths if tag in p.tags), key=lambda p: (len(p.tags), p.id))
        for tag in sorted(tags, key=lambda tag: rarity[tag])
    }
    picked: dict[str, ExploredPath] = {}
    while len(picked) < limit and any(queues.values()):
        for queue in queues.values():
            while queue and queue[0].id in picked:
                queue.pop(0)
            if queue and len(picked) < limit:
                path = queue.pop(0)
                picked[path.id] = path
    return tuple(sorted(picked.values(), key=lambda path: path.id))


def clip(text: str, limit: int = MAX_CHARS) -> str:
    """A text, its middle left out (and that said) when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
