"""ReCUT's entries of the path explorer: from trials to rounds in words, and what each problem is an example of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bestpath.core.tables import Row
from bestpath.methods.recut.report.words import BOTH_WRONG_LONGER, BOTH_WRONG_SHORTER, STOPS, meaning, why_kept
from bestpath.stages.report.explorer import LIMIT, Alternative, Answer, ExploredPath, Round, clip, most_instructive

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
) -> tuple[ExploredPath, ...]:
    """The most instructive explored problems, at most `limit`, in the order of their ids.

    `trials` has the columns of ReCUT's trials table, `optimal` those of its table of optimal paths; `answers`
    gives, by problem, other systems' solutions, the base's first.
    """
    questions = {row["problem_id"]: row for row in problems}
    best = {row["problem_id"]: row for row in optimal}
    ordered = sorted(trials, key=lambda row: (row["problem_id"], row["round"], row["mode"], row["index"]))
    paths = [
        path_of(list(rows), questions[problem_id], best.get(problem_id), tuple(answers.get(problem_id, ())))
        for problem_id, rows in groupby(ordered, key=lambda row: row["problem_id"])
    ]
    return most_instructive(paths, TAGS, limit)


def path_of(trials: Sequence[Row], problem: Row, optimal: Row | None, answers: tuple[Answer, ...]) -> ExploredPath:
    """One problem's path from its trials, sorted by round."""
    rounds = [
        _round(number, list(rows)) for number, rows in groupby(trials, key=lambda row: row["round"])
    ]  # a list, since the tags read it, too
    stop = next((row["stop"] for row in reversed(trials) if row["stop"]), None)
    best = _optimal_answer(optimal)
    base = answers[0] if answers else None
    shown = (*((best,) if best else ()), *(replace(answer, text=clip(answer.text)) for answer in answers))
    return ExploredPath(
        id=problem["problem_id"],
        question=problem["question"],
        gold=problem["answer"],
        tags=_tags(trials, rounds, stop, best, base),
        rounds=tuple(rounds),
        end=STOPS.get(stop or "", "The search has not ended."),
        summary=_summary(best, base),
        conclusion=_conclusion(best, base),
        answers=shown,
    )


def _round(number: int, rows: Sequence[Row]) -> Round:
    kept = next((row["mode"] for row in rows if row["chosen"]), None)
    return Round(
        f"Round {number}", tuple(map(_alternative, rows)), f"{kept} kept" if kept else "nothing kept", why_kept(rows)
    )


def _alternative(row: Row) -> Alternative:
    before, step, after = _around_step(row["text"], row["step"])
    reward, reject = row["reward"], row["step_reject"]
    return Alternative(
        title=row["mode"],
        before=clip(before),
        kept_part=clip(step),
        after=clip(after),
        tokens=row["n_tokens"],
        finish=row["finish_reason"],
        verdict=row["verdict"],
        answer=row["answer"],
        scores=(("reward", reward),) if reward is not None and math.isfinite(reward) else (),
        note=f"no usable step: {meaning(reject)}" if reject else "",
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
    return Answer("optimal path", clip(row["text"]), row["n_tokens"], "correct", row["answer"], note, best=True)


def _summary(best: Answer | None, base: Answer | None) -> str:
    said = [f"solved in {best.tokens} token{'' if best.tokens == 1 else 's'}" if best else "unsolved"]
    return "; ".join([*said, *([f"{base.system}: {base.tokens}"] if base else [])])


def _conclusion(best: Answer | None, base: Answer | None) -> str:
    if best is None:
        return "Unsolved: no candidate is correct"
    if base is None:
        return "The optimal path"
    share = round(100 * (1 - best.tokens / base.tokens)) if base.tokens else 0
    saving = f"{share} % fewer tokens" if share >= 0 else f"{-share} % more tokens"
    return f"The optimal path against {base.system}: {saving}"


def _tags(
    trials: Sequence[Row], rounds: Sequence[Round], stop: str | None, best: Answer | None, base: Answer | None
) -> tuple[str, ...]:
    kept = {row["mode"] for row in trials if row["chosen"]}
    reasons = [round_.why for round_ in rounds]
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
