"""The optimal path of each problem: its shortest correct candidate (docs/recut.md, the optimal path)."""

from __future__ import annotations

from collections.abc import Iterable

from bestpath.core.tables import Row
from bestpath.methods.recut.candidates import LengthUnit, length_of, pools_of


def select(problems: Iterable[Row], candidates: Iterable[Row], length_unit: LengthUnit = "tokens") -> list[Row]:
    """A row of the optimal table for every problem, solved or not.

    Ties go to fewer steps, the earlier round, short before long, the first sample.
    """
    pools = pools_of(candidates)
    rows = []
    for problem in problems:
        pool = pools[problem["problem_id"]]
        correct = [c for c in pool if c["verdict"] == "correct"]
        # min takes the first of equals, and the pool is in the order drawn
        best: Row = min(correct, key=lambda c: (length_of(c, length_unit), c["n_steps"]), default={})
        rows.append(
            {
                "problem_id": problem["problem_id"],
                "question": problem["question"],
                "answer": problem["answer"],
                "solved": bool(correct),
                **{name: best.get(name) for name in ("candidate_id", "text", "n_tokens", "mode_path")},
                "n_correct": len(correct),
                "n_wrong": len(pool) - len(correct),
            }
        )
    return rows


def split_solved(optimal: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """The solved and the unsolved problems; the unsolved take no part in training."""
    rows = list(optimal)
    return [row for row in rows if row["solved"]], [row for row in rows if not row["solved"]]


def suspect_gold(optimal: Iterable[Row], candidates: Iterable[Row]) -> list[Row]:
    """Unsolved problems whose candidates, two or more, all have one answer that is not the gold one.

    Their gold answer deserves a look. Columns: problem_id, question, answer, candidates_say, n_candidates.
    """
    pools = pools_of(candidates)
    suspects = []
    for row in split_solved(optimal)[1]:
        answers = ["".join(c["answer"].split()) for c in pools[row["problem_id"]]]
        if len(answers) >= 2 and len(set(answers)) == 1:
            known = {name: row[name] for name in ("problem_id", "question", "answer")}
            suspects.append(known | {"candidates_say": answers[0], "n_candidates": len(answers)})
    return suspects
