"""Problems: their table, their shards, their options. Where they come from is in `sources`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bestpath.core.search import Message
from bestpath.core.tables import Row, Table

OPEN = "open"
"""The kind of a problem without a gold answer: what answers it is never right or wrong."""

PROBLEMS = Table(
    "problems",
    {
        "problem_id": "string",
        "dataset": "string",
        "question": "string",
        "messages": "string?",  # JSON list of {role, content}: the chat that asks, in the place of a prompt
        "answer": "string?",  # null only where nothing can be graded (kind `open`)
        "kind": "string",
        "choices": "string?",  # JSON list of [label, text] pairs, in order
        "solution": "string?",
        "reference": "string?",  # an answer to compare others with
        "level": "int64?",
        "split": "string",
    },
    ("problem_id",),
)


def shard_of(problems: Sequence[Row], shard: int, size: int) -> list[Row]:
    """The problems of one shard: a fixed range of rows."""
    return list(problems[shard * size : (shard + 1) * size])


def pool_of(problems: Sequence[Row], shard: int, size: int) -> list[Row]:
    """The problems of one shard that are trained on: no dev problems."""
    return [row for row in shard_of(problems, shard, size) if row["split"] == "train"]


def by_problem(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each problem, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["problem_id"], []).append(row)
    return found


def messages_of(problem: Row) -> tuple[Message, ...]:
    """The chat of a `problems` row that brings one; empty for one that is asked by a prompt."""
    return tuple(Message(turn["role"], turn["content"]) for turn in json.loads(problem["messages"] or "[]"))


def choices_of(problem: Row) -> tuple[tuple[str, str], ...]:
    """The options of a `problems` row, in order."""
    return tuple((label, text) for label, text in json.loads(problem["choices"] or "[]"))
