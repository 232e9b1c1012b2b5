"""What GSI needs of the embedded base: to solve alone, to use help of all kinds, and the part of its teacher.

The lesson `gsi` is in words, `gsi-pot` in programs.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from bestpath.core.prompts import Prompt
from bestpath.stages.embedded.language import Problem, World, draw
from bestpath.stages.embedded.lessons import Document, Exercise, Lesson
from bestpath.stages.embedded.mistakes import mistaken
from bestpath.stages.embedded.steps import Step, program, reference, write_out

_CHECKS = 0.5  # the share of steps with the inverse check, where nobody asks for a style
_EASY = 0.3  # the share of problems with a given answer that are as those without
_FULL = 0.5  # the share of stories with their numbers, where help has them, too
_STRANGE = 0.9  # the share of problems in lessons on help whose factors are mostly none of the world's


def solve_alone(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem without help; of its levels, the hard ones are rare. Half of the time as a reference does."""
    problem = draw(world, rng, "pretrain")
    text = reference(problem) if rng.random() < 0.5 else _careful(world, rng, problem)
    return Document(prompt.render(problem=problem.question), text)


def use_answer(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem whose final answer is given, mostly only as far as one needs to.

    A solution that leaves its last steps out is true in all it says, and ends with the given answer.
    """
    problem = draw(world, rng, "pretrain") if rng.random() < _EASY else _hard(world, rng)
    text = reference(problem) if rng.random() < 0.5 else _careful(world, rng, problem)
    if rng.random() < 0.9:
        *steps, last = text.split("\n")
        text = "\n".join([*steps[: rng.randint(1, len(steps))], last])
    return Document(prompt.render(problem=problem.question, answer=problem.answer), text)


def use_reference(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem in words of one's own with a reference at hand."""
    problem, question = _told(world, rng)
    text = prompt.render(problem=question, reference=reference(problem))
    return Document(text, _careful(world, rng, problem))


def find_mistake(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Name the first wrong step of a wrong solution, and what is right there: the part of a teacher."""
    problem = _hard(world, rng)
    mistake = mistaken(world, rng, problem, _CHECKS)
    text = prompt.render(problem=problem.question, attempt=mistake.attempt, answer=problem.answer)
    return Document(text, mistake.feedback)


def revise(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Write a solution anew after feedback on a wrong one."""
    problem, question = _told(world, rng)
    mistake = mistaken(world, rng, problem, _CHECKS)
    text = prompt.render(problem=question, attempt=mistake.attempt, feedback=mistake.feedback)
    return Document(text, _careful(world, rng, problem))


def write_program(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Write a program that prints the answer; of the levels, the hard ones are rare."""
    problem = draw(world, rng, "pretrain")
    return Document(prompt.render(problem=problem.question), program(problem))


def _told(world: World, rng: random.Random) -> tuple[Problem, str]:
    """A problem for a lesson on help, and how its story is told: often without the numbers, which the help has."""
    problem = _hard(world, rng)
    return problem, problem.question if rng.random() < _FULL else re.sub(r"\d+", "some", problem.question)


def _hard(world: World, rng: random.Random) -> Problem:
    """A problem for a lesson on help, more often of the higher levels: help has to be used at all lengths.

    Its rare changes are mostly by factors that no problem has: so the help has to be used, and hard problems are not
    learnt to be solved without it. Some are the world's own, or else a model would trust the little that it knows of
    those more than the help.
    """
    levels = range(1, len(world.levels) + 1)
    level = rng.choices(levels, levels)[0] if levels else None
    first, last = world.factors
    factors = (last + 1 if rng.random() < _STRANGE else first, 3 * last - 3)
    return draw(replace(world, factors=factors), rng, "pretrain", level)


def _careful(world: World, rng: random.Random, problem: Problem) -> str:
    """A solution that takes one change at a time."""
    return write_out(problem, [Step((o,), rng.random() < _CHECKS, False) for o in problem.operations])


LESSONS: dict[str, Lesson] = {
    "gsi": {
        "plain": Exercise(("problem",), solve_alone, turns=3),
        "answer": Exercise(("problem", "answer"), use_answer, turns=2),
        "rationale": Exercise(("problem", "reference"), use_reference, turns=4),
        "feedback": Exercise(("problem", "attempt", "answer"), find_mistake),
        "revise": Exercise(("problem", "attempt", "feedback"), revise),
    },
    "gsi-pot": {"plain": Exercise(("problem",), write_program)},
}
