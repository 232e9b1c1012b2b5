"""Grading of a system's answers: the verdict on what is read of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bestpath.answers.grading import Grader
from bestpath.core.problems import choices_of
from bestpath.core.search import Grade
from bestpath.core.systems import Reader
from bestpath.core.tables import Row
from bestpath.stages.evaluation.readers import read


def grade(samples: Sequence[Row], problems: Iterable[Row], reader: Reader = "text", isolation: str = "") -> list[Row]:
    """The verdict on every sample (rows of `SAMPLES`), as rows of `SCORES`. Raises UserError as `read`."""
    asked_of = {row["problem_id"]: row for row in problems}
    asked = []
    for sample, text in zip(samples, read(samples, reader, isolation), strict=True):
        problem = asked_of[sample["problem_id"]]
        asked.append(Grade(text, problem["answer"] or "", problem["kind"], choices_of(problem)))
    with Grader() as grader:
        verdicts = grader.grade(asked)
    kept = ("problem_id", "sample_id", "decoding", "n_tokens", "finish_reason")
    return [
        {**{name: sample[name] for name in kept}, "answer": v.answer, "verdict": v.outcome, "rule": v.rule}
        for sample, v in zip(samples, verdicts, strict=True)
    ]
