"""The path explorer's data: from trials to rounds in words, and which problems are worth a look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from bestpath.core.tables import Row
from bestpath.stages.report.data import Answer, Path, Round, Side
from bestpath.stages.report.words import BOTH_WRONG_LONGER, BOTH_WRONG_SHORTER, STOPS, why_kept

LIMIT = 60
MAX_CHARS = 1_200  # of each part of a shown text; what is left out is said

TAGS = {
    "solved": "solved",
    "unsolved": "unsolved",
    "short only": "only short steps kept",
    "mixed": "long and short steps kept",
    "long kept": "a long step kept",
    "both wrong": "a round with both wrong",
    "switched": "step taken from the other side",
    "disagree": "a round where only one is correct",
    "truncated": "a completion cut off",
    "repeated": "ended by a repeated step",
    "stalled": "ended without a usable step",
    "saves": "half the base's tokens or fewer",
    "rescues": "solved where the base fails",
}
"""The explorer's filters and what they mean."""


def paths_of(
    trials: Iterable[Row],
    problems: Iterable[Row],
    optimal: Iterable[Row],
    answers: Mapping[str, Sequence[Answer]],
    limit: int = LIMIT,
) -> tuple[Path, ...]:
    """The most instructive explored problems, at most `limit`, in the order of their ids.

    `trials` has the columns of ReCUT's trials table, `optimal` those of its table of optimal paths; `answers`
    gives, by problem, other systems' solutions, the base's first. Every tag is represented as evenly as the
    problems allow.
    """
    questions = {row["problem_id"]: row for row in problems}
    best = {row["problem_id"]: row for row in optimal}
    ordered = sorted(trials, key=lambda row: (row["problem_id"], row["round"], row["mode"], row["index"]))
    paths = [
        path_of(list(rows), questions[problem_id], best.get(problem_id), tuple(answers.get(problem_id, ())))
        for problem_id, rows in groupby(ordered, key=lambda row: row["problem_id"])
    ]
    return tuple(sorted(most_instructive(paths, limit), key=lambda path: path.problem_id))


def path_of(trials: Sequence[Row], problem: Row, optimal: Row | None, answers: tuple[Answer, ...]) -> Path:
    """One problem's path from its trials, sorted by round."""
    rounds = [
        Round(number, tuple(_side(row) for row in rows), why_kept(rows))
        for number, rows in ((n, list(group)) for n, group in groupby(trials, key=lambda row: row["round"]))
    ]
    stop = next((row["stop"] for row in reversed(trials) if row["stop"]), None)
    best = _optimal_answer(optimal)
    return Path(
        problem_id=problem["problem_id"],
        question=problem["question"],
        gold=problem["answer"],
        tags=_tags(trials, rounds, stop, best, answers),
        rounds=tuple(rounds),
        end=STOPS.get(stop or "", "The search has not ended."),
        optimal=best,
        answers=tuple(_clipped(answer) for answer in answers),
    )


def most_instructive(paths: Sequence[Path], limit: int) -> list[Path]:
    """At most `limit` paths: tag by tag, the rarest first, the clearest case (the fewest other tags) each time."""
    rarity = {tag: sum(tag in path.tags for path in paths) for tag in TAGS}
    queues = {
        tag: sorted((p for p in paths if tag in p.tags), key=lambda p: (len(p.tags), p.problem_id))
        for tag in sorted(TAGS, key=lambda tag: rarity[tag])
    }
    picked: dict[str, Path] = {}
    while len(picked) < limit and any(queues.values()):
        for queue in queues.values():
            while queue and queue[0].problem_id in picked:
                queue.pop(0)
            if queue and len(picked) < limit:
                path = queue.pop(0)
                picked[path.problem_id] = path
    return list(picked.values())


def clip(text: str, limit: int = MAX_CHARS) -> str:
    """A text, its middle left out (and that said) when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _side(row: Row) -> Side:
    before, step, after = _around_step(row["text"], row["step"])
    reward = row["reward"]
    return Side(
        mode=row["mode"],
        before=clip(before),
        step=clip(step),
        after=clip(after),
        tokens=row["n_tokens"],
        finish=row["finish_reason"],
        verdict=row["verdict"],
        answer=row["answer"],
        reward=reward if reward is not None and math.isfinite(reward) else None,
        step_reject=row["step_reject"],
        kept=row["chosen"],
    )


def _around_step(text: str, step: str | None) -> tuple[str, str, str]:
    """The text before the step's body, the body, and the text after it; the marker stays with `before`."""
    body = step.partition("]: ")[2] if step else ""
    before, found, after = text.partition(body) if body else (text, "", "")
    return before, found, after


def _optimal_answer(row: Row | None) -> Answer | None:
    if row is None or not row["solved"]:
        return None
    note = "steps kept from: " + ", ".join(row["mode_path"])
    return Answer("optimal path", clip(row["text"]), row["n_tokens"], "correct", row["answer"], note)


def _clipped(answer: Answer) -> Answer:
    return Answer(answer.system, clip(answer.text), answer.tokens, answer.verdict, answer.answer, answer.note)


def _tags(
    trials: Sequence[Row],
    rounds: Sequence[Round],
    stop: str | None,
    best: Answer | None,
    answers: Sequence[Answer],
) -> tuple[str, ...]:
    kept = {row["mode"] for row in trials if row["chosen"]}
    reasons = [round_.reason for round_ in rounds]
    base = answers[0] if answers else None
    holds = {
        "solved": best is not None,
        "unsolved": best is None,
        "short only": kept == {"short"},
        "mixed": len(kept) > 1,
        "long kept": "long" in kept,
        "both wrong": any(reason in (BOTH_WRONG_LONGER, BOTH_WRONG_SHORTER) for reason in reasons),
        "switched": any(row["switched"] for row in trials),
        "disagree": any(reason.startswith("only the") for reason in reasons),
        "truncated": any(row["finish_reason"] == "length" for row in trials),
        "repeated": stop == "repeated_step",
        "stalled": stop == "stalled",
        "saves": best is not None and base is not None and best.tokens <= base.tokens / 2,
        "rescues": best is not None and base is not None and base.verdict != "correct",
    }
    return tuple(tag for tag in TAGS if holds[tag])
