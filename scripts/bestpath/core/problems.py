"""Problems: their table, their shards, their options. Where they come from is in `sources`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bestpath.core.tables import Row, Table

PROBLEMS = Table(
    "problems",
    {
        "problem_id": "string",
        "dataset": "string",
        "question": "string",
        "answer": "string",
        "kind": "string",
        "choices": "string?",  # JSON list of [label, text] pairs, in order
        "solution": "string?",
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


def choices_of(problem: Row) -> tuple[tuple[str, str], ...]:
    """The options of a `problems` row, in order."""
    return tuple((label, text) for label, text in json.loads(problem["choices"] or "[]"))
