"""How a solution is written: one line a step, in a long, short or neutral style, then the final answer.

A long step works one change out and checks it by the inverse: `[STEP2]: 12 + 7 = 19, check 19 - 7 = 12`.
A short step omits the check: `[STEP2]: 12 + 7 = 19`. A neutral solution mixes both. Any style is hasty at times: a
hasty step names the result of two changes before it writes them down, and justifies it afterwards:
`[STEP2]: it is clearly 7, as 19 - 8 - 4 = 7, check 7 + 4 + 8 = 19`. Whatever the style, every equation is true.

References of a world with levels are written by somebody else, who says what a step does (`[STEP2]: 12 + 7 = 19, by
adding 7`), so that a copy of one can be told from a solution. A program does a change a line.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.core.randomness import generator_for
from bestpath.stages.embedded.language import INVERSE, Operation, Problem, World

_LINKS = ("by", "after", "from", "with", "upon")
_CHANGES = {"+": "adding", "-": "taking", "*": "multiplying", "/": "dividing"}

Style = Literal["long", "neutral", "short"]
STYLES: tuple[Style, ...] = ("long", "neutral", "short")


@dataclass(frozen=True)
class Step:
    """One written step: the changes it covers, and how it is written."""

    operations: tuple[Operation, ...]
    check: bool
    hasty: bool

    def line(self, k: int) -> str:
        """The step as the k-th line of a solution."""
        start, result = self.operations[0].before, self.operations[-1].after
        change = " ".join([str(start), *(f"{o.symbol} {o.operand}" for o in self.operations)])
        inverse = " ".join([str(result), *(f"{INVERSE[o.symbol]} {o.operand}" for o in reversed(self.operations))])
        equation = f"it is clearly {result}, as {change} = {result}" if self.hasty else f"{change} = {result}"
        return f"[STEP{k}]: {equation}" + (f", check {inverse} = {start}" if self.check else "")


def plan(world: World, rng: random.Random, problem: Problem, style: Style) -> list[Step]:
    """The steps of one solution in a style, their forms drawn with the world's shares."""
    steps: list[Step] = []
    left = list(problem.operations)
    while left:
        step = next_step(world, rng, left, style)
        steps.append(step)
        del left[: len(step.operations)]
    return steps


def next_step(world: World, rng: random.Random, left: Sequence[Operation], style: Style) -> Step:
    """How the next of the changes that are left is written, together with the one after it or alone."""
    checks = world.checks[STYLES.index(style)]
    if len(left) > 1 and left[0].symbol in "+-" and left[1].symbol in "+-":
        losses = left[0].symbol == left[1].symbol == "-"
        if rng.random() < (world.hasty if losses else world.hasty_else):
            return Step(tuple(left[:2]), rng.random() < checks, True)
    return Step(tuple(left[:1]), rng.random() < checks, False)


def final_line(problem: Problem) -> str:
    """The line that ends every solution."""
    return f"Final answer: \\boxed{{{problem.answer}}}"


def write_out(problem: Problem, steps: Sequence[Step], first: int = 1) -> str:
    """Steps from the `first` on, and the final answer."""
    lines = [step.line(k) for k, step in enumerate(steps, start=1)]
    return "\n".join([*lines[first - 1 :], final_line(problem)])


def solution(problem: Problem) -> str:
    """The reference solution: short, never hasty."""
    return write_out(problem, [Step((o,), False, False) for o in problem.operations])


def reference(problem: Problem) -> str:
    """A solution in the words of another author: every step names its change, none checks.

    The words differ from step to step, so that samples of one problem differ as those of a real model do.
    """
    rng = generator_for("embedded-reference", problem.question)
    lines = []
    for k, o in enumerate(problem.operations, start=1):
        change = f"{rng.choice(_LINKS)} {_CHANGES[o.symbol]} {o.operand}"
        lines.append(f"[STEP{k}]: {o.before} {o.symbol} {o.operand} = {o.after}, {change}")
    return "\n".join([*lines, final_line(problem)])


def program(problem: Problem) -> str:
    """A Python program that prints the answer."""
    first, *_ = problem.operations
    lines = [f"n = n {'//' if o.symbol == '/' else o.symbol} {o.operand}" for o in problem.operations]
    return "\n".join([f"n = {first.before}", *lines, "print(n)"])
