"""The funnel (docs/recut.md): what became of every problem, completion and candidate; a proof that none is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bestpath.core.tables import Row
from bestpath.methods.recut.pairs import LOSERS

TrainingSet = tuple[Sequence[Row], Sequence[Row]]
"""The rows of a training set and the rows of its rejects."""

_PAIRS: dict[str, str] = {f"pairs.{name}": verdict for name, verdict in LOSERS.items()}


def funnel(
    problems: Sequence[Row],
    trials: Sequence[Row],
    candidates: Sequence[Row],
    candidate_rejects: Sequence[Row],
    optimal: Sequence[Row],
    sets: Mapping[str, TrainingSet],
) -> list[Row]:
    """The counts from problems to training rows, in order, as rows `stage, unit, outcome, reason, n`.

    `sets` holds the training sets by their stage: `pairs.length`, `pairs.accuracy`, `sft.shortest`, ... (the union
    of both pair sets is their sum). Kept rows that are `flawed` come only from the released pair rule.
    Raises AssertionError when the funnel does not close: candidates = generations - rejects; problems = solved +
    unsolved; every problem is in a training set or rejected from it; and every possible loser of a solved problem is
    in a pair or rejected; each exactly once.
    """
    kept_ids = [row["candidate_id"] for row in candidates]
    dropped_ids = [row["sample_id"] for row in candidate_rejects]
    greedy_ids = [id_ for id_ in [*kept_ids, *dropped_ids] if id_.endswith(".greedy")]
    problem_ids = [row["problem_id"] for row in problems]
    solved = {row["problem_id"]: row["candidate_id"] for row in optimal if row["solved"]}
    unsolved = [row["problem_id"] for row in optimal if not row["solved"]]
    _close("candidates", [*(row["trial_id"] for row in trials), *greedy_ids], kept_ids, dropped_ids)
    _close("optimal", problem_ids, solved, unsolved)
    rows = [
        _count("problems", "problem", "in", len(problems)),
        _count("trials", "trial", "in", len(trials)),
        _count("candidates", "greedy_path", "in", len(greedy_ids)),
        _count("candidates", "candidate", "kept", len(candidates)),
        *_rejected("candidates", "trial", candidate_rejects),
        _count("optimal", "problem", "kept", len(solved)),
        _count("optimal", "problem", "rejected", len(unsolved), "unsolved"),
    ]
    for stage, (made, rejects) in sets.items():
        rows += _training_set(stage, problem_ids, made, rejects)
        if stage in _PAIRS:
            losers = [c for c in candidates if c["verdict"] == _PAIRS[stage] and c["problem_id"] in solved]
            _close_pairs(stage, losers, set(solved.values()), made, rejects)
            wrong = {c["candidate_id"] for c in candidates if c["verdict"] == "wrong"}
            flaws = {
                "wrong_winner": sum(row["chosen_id"] in wrong for row in made),
                "identical_pair": sum(row["chosen"] == row["rejected"] for row in made),
            }
            rows += [_count(stage, "row", "flawed", n, reason) for reason, n in flaws.items()]
    return rows


def _training_set(stage: str, problem_ids: list[str], made: Sequence[Row], rejects: Sequence[Row]) -> list[Row]:
    """The counts of one training set."""
    of_problems = [row for row in rejects if row["sample_id"] is None]
    of_candidates = [row for row in rejects if row["sample_id"] is not None]
    with_rows = {row["problem_id"] for row in made}
    _close(stage, problem_ids, with_rows, [row["problem_id"] for row in of_problems])
    return [
        _count(stage, "problem", "kept", len(with_rows)),
        *_rejected(stage, "problem", of_problems),
        _count(stage, "row", "kept", len(made)),
        *_rejected(stage, "candidate", of_candidates),
    ]


def _close_pairs(
    stage: str, losers: Sequence[Row], winners: set[str], made: Sequence[Row], rejects: Sequence[Row]
) -> None:
    """Assert that every possible loser is in a pair or rejected; the winners are accounted for as solved."""
    paired = {row[side] for row in made for side in ("chosen_id", "rejected_id")}
    dropped = [row["sample_id"] for row in rejects if row["sample_id"] is not None]
    _close(stage, {c["candidate_id"] for c in losers} - winners, paired - winners, dropped)


def _close(stage: str, all_ids: Iterable[str], kept: Iterable[str], dropped: Iterable[str]) -> None:
    """Assert that what went in is what was kept and what was dropped, each once."""
    before, after = Counter([*all_ids]), Counter([*kept, *dropped])
    if before != after:
        odd = sorted((before - after) + (after - before))
        raise AssertionError(f"the funnel does not close at {stage}: {', '.join(odd[:5])}")


def _count(stage: str, unit: str, outcome: str, n: int, reason: str = "") -> Row:
    return {"stage": stage, "unit": unit, "outcome": outcome, "reason": reason, "n": n}


def _rejected(stage: str, unit: str, rejects: Iterable[Row]) -> list[Row]:
    reasons = Counter(row["reason"] for row in rejects)
    return [_count(stage, unit, "rejected", n, reason) for reason, n in reasons.most_common()]
