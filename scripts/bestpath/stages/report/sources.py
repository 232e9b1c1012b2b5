"""From the tables of other stages to what several methods show: answers and their lengths, doubtful gold answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bestpath.core.tables import Row
from bestpath.stages.report.blocks import Column, Table, Text, Value, lines_of
from bestpath.stages.report.data import Section
from bestpath.stages.report.explorer import Answer

NOTES = {"length": "cut off", "error": "failed in the engine"}


def lengths_of(scores: Iterable[Row]) -> tuple[int, ...]:
    """The lengths of one system's greedy samples; those that the engine failed have none."""
    return tuple(row["n_tokens"] for row in greedy(list(scores)) if row["finish_reason"] != "error")


def answers_of(answered: Iterable[tuple[str, Sequence[Row], Sequence[Row]]]) -> dict[str, list[Answer]]:
    """The answers to each problem, from systems with their rows of the samples and of the scores table."""
    answers: dict[str, list[Answer]] = {}
    for system, samples, scores in answered:
        for sample, score in zip(samples, scores, strict=True):
            note = NOTES.get(sample["finish_reason"], "")
            answer = Answer(system, sample["text"], sample["n_tokens"], score["verdict"], score["answer"], note)
            answers.setdefault(sample["problem_id"], []).append(answer)
    return answers


def greedy(scores: Sequence[Row]) -> list[Row]:
    """The scores of greedy samples, or those of the first decoding if there are none."""
    first = min((row["decoding"] for row in scores), key=lambda name: (name != "greedy", name))
    return [row for row in scores if row["decoding"] == first]


def suspects_section(suspects: Sequence[tuple[Value, ...]]) -> Section:
    """Problems whose candidates agree on another answer; rows of id, question, gold, what they say, how many do."""
    columns = (
        Column("problem", "Problem"),
        Column("question", "Question"),
        Column("gold answer", "Gold"),
        Column("candidates say", "Candidates say"),
        Column("candidates", "Candidates", "count"),
    )
    text = (
        "Unsolved problems on which all candidates agree on another answer. Either the model errs the same way every "
        "time, or the given answer is wrong."
    )
    return Section(
        "Doubtful gold answers",
        (Text((text,)), Table(columns, lines_of(suspects), name="suspect_gold")),
        "Doubtful gold",
    )
