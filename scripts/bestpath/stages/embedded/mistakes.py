"""Solutions with one mistake, as a student hands them in, and what a teacher says of them.

They stand in prompts only: everything that the model is taught to write is right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from bestpath.stages.embedded.language import Operation, Problem, World
from bestpath.stages.embedded.steps import Step, write_out


@dataclass(frozen=True)
class Mistake:
    """A wrong solution, the number of its first wrong step, and the change that should stand there."""

    attempt: str
    step: int
    right: Operation

    @property
    def feedback(self) -> str:
        """The first wrong step and what is right there."""
        o = self.right
        return f"[STEP{self.step}]: is wrong, {o.before} {o.symbol} {o.operand} = {o.after}"


def mistaken(world: World, rng: random.Random, problem: Problem, checks: float) -> Mistake:
    """A solution that reckons wrong, misreads a number or leaves a change out, and goes on from there."""
    while True:
        at = rng.randrange(len(problem.operations))
        kinds = ("reckoned", "misread", "omitted") if len(problem.operations) > 1 else ("reckoned", "misread")
        wrong = _with_mistake(world, rng, problem, at, rng.choice(kinds))
        if wrong is not None and wrong[-1].after != problem.answer:
            steps = [Step((o,), rng.random() < checks, False) for o in wrong]
            return Mistake(write_out(Problem(problem.question, wrong), steps), at + 1, problem.operations[at])


def _with_mistake(
    world: World, rng: random.Random, problem: Problem, at: int, kind: str
) -> tuple[Operation, ...] | None:
    """The changes as the student takes them; None where a number would leave the world."""
    wrong = problem.operations[at]
    if kind == "omitted":
        changes = [*problem.operations[:at], *problem.operations[at + 1 :]]
        if at == len(problem.operations) - 1:
            return None  # nothing in the text would be wrong but its end
    else:
        operand = rng.randint(1, world.largest_change) if kind == "misread" and wrong.symbol in "+-" else wrong.operand
        changes = [*problem.operations[:at], replace(wrong, operand=operand), *problem.operations[at + 1 :]]
    value, taken = problem.operations[0].before, []
    for index, operation in enumerate(changes):
        after = _apply(operation.symbol, value, operation.operand)
        if after is not None and index == at and kind == "reckoned":
            after += rng.choice((-10, -2, -1, 1, 2, 10))
        if after is None or not 0 <= after <= world.largest:
            return None
        taken.append(replace(operation, before=value, after=after))
        value = after
    return tuple(taken) if taken[: at + 1] != list(problem.operations[: at + 1]) else None


def _apply(symbol: str, value: int, operand: int) -> int | None:
    """The result of a change; None for half of an odd number."""
    if symbol == "/":
        return value // operand if value % operand == 0 else None
    return {"+": value + operand, "-": value - operand, "*": value * operand}[symbol]
