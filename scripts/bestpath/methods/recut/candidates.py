"""From trials to candidates: the pool of whole trajectories of each problem (docs/recut.md, candidates).

A candidate is the steps kept before a completion and the completion, as one text. It must have ended by itself,
have an answer, have been verified, and differ from the others; everything else is rejected with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from bestpath.core.rejects import Rejects
from bestpath.core.search import Verdict
from bestpath.core.tables import Row
from bestpath.methods.recut import steps
from bestpath.methods.recut.order import draw_order

VerdictOf = Callable[[str, str], Verdict]
"""Grades a text for the problem of the given id."""

LengthUnit = Literal["tokens", "chars"]


def collect(
    trials: Sequence[Row],
    count_tokens: Callable[[str], int],
    verdict_of: VerdictOf | None = None,
    greedy_path: bool = False,
) -> tuple[list[Row], Rejects]:
    """The candidates of all problems, and the rejected trials.

    `count_tokens` counts a full text by the model's tokenizer, without an end token. With `verdict_of` every trial is
    graded anew: another verifier needs no new samples. `greedy_path`, which needs `verdict_of`, adds the kept steps
    themselves where the last one holds a box, for traces of the stop rule `boxed_in_step`. (Under the terminal rule
    the kept path is the last chosen candidate.)
    Reasons: `prompt_too_long`, `engine_error`, `truncated`, `no_answer`, `verify_timeout`, `duplicate_text`.
    """
    candidates, rejects = [], Rejects("candidates")
    ordered = sorted(trials, key=lambda row: (row["problem_id"], *draw_order(row)))
    for problem_id, rows in groupby(ordered, key=lambda row: row["problem_id"]):
        first: dict[str, str] = {}  # normalised text -> the candidate that has it
        for candidate, reason, detail in _trajectories(list(rows), verdict_of, greedy_path):
            candidate_id, text = candidate["candidate_id"], candidate["text"]
            same = " ".join(text.split())
            if not reason and same in first:
                reason, detail = "duplicate_text", f"of {first[same]}"
            if reason:
                rejects.add(problem_id, reason, detail, candidate_id)
                continue
            first[same] = candidate_id
            candidates.append(candidate | {"n_tokens": count_tokens(text), "n_steps": steps.count_steps(text)})
    return candidates, rejects


def length_of(candidate: Row, unit: LengthUnit) -> int:
    """A candidate's length; characters only reproduce the released code."""
    length: int = candidate["n_tokens"] if unit == "tokens" else len(candidate["text"])
    return length


def pools_of(candidates: Iterable[Row]) -> defaultdict[str, list[Row]]:
    """The candidates of each problem in the order they were drawn; empty for a problem without any."""
    pools: defaultdict[str, list[Row]] = defaultdict(list)
    for candidate in candidates:
        pools[candidate["problem_id"]].append(candidate)
    for pool in pools.values():
        pool.sort(key=lambda row: (*draw_order(row), row["candidate_id"]))
    return pools


def _trajectories(
    rows: Sequence[Row], verdict_of: VerdictOf | None, greedy_path: bool
) -> Iterator[tuple[Row, str, str]]:
    """Each trial of one problem as a candidate (not yet counted), the reason against it or '', and a detail."""
    kept = [row for row in rows if row["chosen"]]
    modes = [row["mode"] for row in kept]
    for row in rows:
        verdict = Verdict(row["verdict"], row["answer"], loosely_equal=row["loosely_equal"])
        if verdict_of and row["finish_reason"] != "error":
            verdict = verdict_of(row["problem_id"], row["text"])
        text = "\n".join([*row["prefix"], row["text"].strip()])
        path = [*modes[: len(row["prefix"])], row["mode"]]
        yield _candidate(row, row["trial_id"], text, path, verdict, "pool"), *_objection(row, verdict)
    if greedy_path and kept and steps.boxed(kept[-1]["step"]):
        if verdict_of is None:
            raise ValueError("a greedy path has not been graded: it needs verdict_of")
        last = kept[-1]
        text = "\n".join([*last["prefix"], last["step"]])
        verdict = verdict_of(last["problem_id"], text)
        candidate = _candidate(last, f"{last['problem_id']}.greedy", text, modes, verdict, "greedy_path")
        yield candidate, _UNDECIDED.get(verdict.outcome, ""), ""


_UNDECIDED = {"no_answer": "no_answer", "timeout": "verify_timeout"}


def _objection(row: Row, verdict: Verdict) -> tuple[str, str]:
    if row["finish_reason"] == "error":
        reason, _, detail = (row["error"] or "engine_error").partition(": ")
        return reason, detail
    if row["finish_reason"] == "length":
        return "truncated", ""
    return _UNDECIDED.get(verdict.outcome, ""), ""


def _candidate(row: Row, candidate_id: str, text: str, path: list[str], verdict: Verdict, origin: str) -> Row:
    return {
        "problem_id": row["problem_id"],
        "candidate_id": candidate_id,
        "round": row["round"],
        "mode": row["mode"],
        "index": row["index"],
        "mode_path": path,
        "text": text,
        "answer": verdict.answer,
        "verdict": verdict.outcome,
        "loosely_equal": verdict.loosely_equal,
        "origin": origin,
    }
