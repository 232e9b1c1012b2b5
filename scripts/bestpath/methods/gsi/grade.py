"""The verdicts on draws (docs/gsi.md, 5): graded as they are, or run as programs first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from bestpath.answers.programs import answer_of, stated
from bestpath.core.problems import choices_of
from bestpath.core.search import Grade, Ran, Run, Search, Verdict
from bestpath.core.tables import Row
from bestpath.methods.gsi import released_verifier

Mode = Literal["cot", "pot"]
"""Rationales, or programs."""

Verifier = Literal["equiv", "gsi_compat"]
"""Ours, or the released one."""


def grade(problem: Row, rows: Sequence[Row], mode: Mode, verifier: Verifier) -> Search[list[Row]]:
    """Rows of GRADED from rows of DRAWS. A completion that was cut off is `truncated`, whatever it says.

    In mode `pot` a completion is run, and the last line that it prints is its answer (docs/gsi.md, 5).
    """
    programs = mode == "pot"
    asked = [row for row in rows if row["finish_reason"] == "stop"]
    runs: dict[str, Ran] = {}
    answers: dict[str, str] = {}
    if programs and asked:
        ran = cast(Sequence[Ran], (yield [Run(row["text"]) for row in asked]))
        runs = {row["draw_id"]: run for row, run in zip(asked, ran, strict=True)}
        answers = {name: answer for name, run in runs.items() if (answer := answer_of(run)) is not None}
        asked = [row for row in asked if row["draw_id"] in answers]
    verdicts: dict[str, Verdict] = {}
    if asked:
        gold, kind, choices = problem["answer"], problem["kind"], choices_of(problem)
        said = [stated(answers[row["draw_id"]]) if programs else row["text"] for row in asked]
        given: Sequence[Verdict]
        if verifier == "gsi_compat":
            given = [released_verifier.verdict(text, gold, problem["dataset"], kind) for text in said]
        else:
            given = cast(Sequence[Verdict], (yield [Grade(text, gold, kind, choices) for text in said]))
        verdicts = {row["draw_id"]: verdict for row, verdict in zip(asked, given, strict=True)}
    return [_graded(row, verdicts.get(row["draw_id"]), runs.get(row["draw_id"])) for row in rows]


def _graded(row: Row, verdict: Verdict | None, run: Ran | None) -> Row:
    """A row with its verdict. A prefix that was not continued is no answer, even if one stands in it."""
    answer = None
    if row["finish_reason"] != "stop":
        outcome = "error" if row["finish_reason"] == "error" else "truncated"
    elif "empty_continuation" in row["flags"]:
        outcome = "no_answer"
    elif verdict is None:
        outcome = {"ok": "no_output", "no_output": "no_output", "timeout": "exec_timeout"}.get(
            run.status if run else "", "exec_error"
        )
    else:
        outcome = "verify_timeout" if verdict.outcome == "timeout" else verdict.outcome
        answer = verdict.answer
    return row | {"answer": answer, "verdict": outcome, "output": run and run.stdout}
