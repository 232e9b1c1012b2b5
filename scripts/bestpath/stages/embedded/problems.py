"""Problems of the embedded language as rows of the problems table, with their solutions and programs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from bestpath.core.randomness import generator_for
from bestpath.stages.embedded.language import Pool, Problem, World, draw
from bestpath.stages.embedded.steps import program, reference, solution


def problems(n: int, seed: int, world: World, pool: Pool) -> list[dict[str, Any]]:
    """`n` different problems of a pool as rows of the problems table, with their solutions and programs.

    `level` is the number of changes, or the level of a world that has levels, which take turns. The first n problems of
    a larger draw with the same seed are the same problems.
    """
    write = reference if world.levels else solution
    rows: dict[str, dict[str, Any]] = {}
    for level, problem in _stream(seed, world, pool):
        if len(rows) == n:
            break
        rows.setdefault(
            problem.problem_id,
            {
                "id": problem.problem_id,
                "question": problem.question,
                "answer": str(problem.answer),
                "solution": write(problem),
                "program": program(problem),
                "level": level or len(problem.operations),
                "dataset": "embedded",
            },
        )
    return list(rows.values())


def _stream(seed: int, world: World, pool: Pool) -> Iterator[tuple[int | None, Problem]]:
    """Problems and their levels without end."""
    for index in itertools.count():
        level = index % len(world.levels) + 1 if world.levels else None
        yield level, draw(world, generator_for("embedded-problem", seed, pool, index), pool, level)
