"""What the base model is taught: a lesson teaches one ability by writing documents.

A document is a user turn, rendered from one of the project's real prompt templates, and the assistant's answer to
it. Every equation and every final answer in it is right: a base model errs because it is small and briefly
trained, never because it was taught mistakes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from bestpath.core.errors import UserError, nearest
from bestpath.core.prompts import Prompt, load
from bestpath.core.randomness import generator_for
from bestpath.stages.embedded.language import Problem, World, draw
from bestpath.stages.embedded.mistakes import mistaken
from bestpath.stages.embedded.steps import Step, Style, next_step, plan, program, reference, write_out

NO_STEPS = "(none)"


@dataclass(frozen=True)
class Document:
    """One exchange to learn from; only the completion counts in the loss."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class Lesson:
    """One ability: the fields of its prompt template, how to write a document for that prompt, and how many a turn."""

    fields: tuple[str, ...]
    write: Callable[[World, random.Random, Prompt], Document]
    turns: int = 1


def solve(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem from its first step, in the neutral style."""
    problem = draw(world, rng, "pretrain")
    steps = plan(world, rng, problem, "neutral")
    return Document(_render(prompt, problem=problem.question), write_out(problem, steps))


def continue_solution(world: World, rng: random.Random, prompt: Prompt, style: Style) -> Document:
    """Go on in one style; half of the time from given steps, each of them long or short independently."""
    problem = draw(world, rng, "pretrain")
    left, given = list(problem.operations), []
    for _ in range(rng.randint(1, len(left) - 1) if rng.random() < 0.5 and len(left) > 1 else 0):
        step = next_step(world, rng, left, rng.choice(("long", "short")))
        if len(step.operations) == len(left):
            break
        given.append(step)
        del left[: len(step.operations)]
    done = len(problem.operations) - len(left)
    rest = plan(world, rng, Problem(problem.question, problem.operations[done:]), style)
    previous = "\n".join(step.line(k) for k, step in enumerate(given, start=1))
    text = _render(prompt, problem=problem.question, previous=previous or NO_STEPS, step=len(given) + 1)
    return Document(text, write_out(problem, [*given, *rest], first=len(given) + 1))


def solve_alone(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem without help; of its levels, the hard ones are rare. Half of the time as a reference does."""
    problem = draw(world, rng, "pretrain")
    text = reference(problem) if rng.random() < 0.5 else _careful(world, rng, problem)
    return Document(_render(prompt, problem=problem.question), text)


def use_answer(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem whose final answer is given, mostly only as far as one needs to.

    A solution that leaves its last steps out is true in all it says, and ends with the given answer.
    """
    problem = draw(world, rng, "pretrain") if rng.random() < _EASY else _hard(world, rng)
    text = reference(problem) if rng.random() < 0.5 else _careful(world, rng, problem)
    if rng.random() < 0.9:
        *steps, last = text.split("\n")
        text = "\n".join([*steps[: rng.randint(1, len(steps))], last])
    return Document(_render(prompt, problem=problem.question, answer=problem.answer), text)


def use_reference(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem in words of one's own with a reference at hand."""
    problem, question = _told(world, rng)
    text = _render(prompt, problem=question, reference=reference(problem))
    return Document(text, _careful(world, rng, problem))


def find_mistake(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Name the first wrong step of a wrong solution, and what is right there: the part of a teacher."""
    problem = _hard(world, rng)
    mistake = mistaken(world, rng, problem, _CHECKS)
    text = _render(prompt, problem=problem.question, attempt=mistake.attempt, answer=problem.answer)
    return Document(text, mistake.feedback)


def revise(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Write a solution anew after feedback on a wrong one."""
    problem, question = _told(world, rng)
    mistake = mistaken(world, rng, problem, _CHECKS)
    text = _render(prompt, problem=question, attempt=mistake.attempt, feedback=mistake.feedback)
    return Document(text, _careful(world, rng, problem))


def write_program(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Write a program that prints the answer; of the levels, the hard ones are rare."""
    problem = draw(world, rng, "pretrain")
    return Document(_render(prompt, problem=problem.question), program(problem))


_CHECKS = 0.5  # the share of steps with the inverse check, where nobody asks for a style
_EASY = 0.3  # the share of problems with a given answer that are as those without
_FULL = 0.5  # the share of stories with their numbers, where help has them, too
_STRANGE = 0.9  # the share of problems in lessons on help whose factors are mostly none of the world's


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


LESSONS: Mapping[str, Lesson] = {
    "recut/neutral": Lesson(("problem",), solve),
    "recut/long": Lesson(("problem", "previous", "step"), partial(continue_solution, style="long")),
    "recut/short": Lesson(("problem", "previous", "step"), partial(continue_solution, style="short")),
    "gsi/plain": Lesson(("problem",), solve_alone, turns=3),
    "gsi/answer": Lesson(("problem", "answer"), use_answer, turns=2),
    "gsi/rationale": Lesson(("problem", "reference"), use_reference, turns=4),
    "gsi/feedback": Lesson(("problem", "attempt", "answer"), find_mistake),
    "gsi/revise": Lesson(("problem", "attempt", "feedback"), revise),
    "gsi-pot/plain": Lesson(("problem",), write_program),
}


def load_prompts(paths: Mapping[str, Path]) -> dict[str, Prompt]:
    """The prompt template of every lesson to be taught. Raises UserError for an unknown lesson or a bad template."""
    for name in paths:
        if name not in LESSONS:
            hint = nearest(name, LESSONS)
            raise UserError(
                f"there is no embedded lesson '{name}'; "
                + (f"did you mean '{hint}'?" if hint else f"the lessons are {', '.join(LESSONS)}")
            )
    return {name: load(path, LESSONS[name].fields) for name, path in sorted(paths.items())}


def documents(
    prompts: Mapping[str, Prompt], world: World, seed: int, first: int = 0, stop: int | None = None
) -> Iterator[Document]:
    """The documents number `first` to `stop` of an endless stream; the lessons take turns.

    Each document depends on (seed, number) alone.
    """
    names = [name for name in sorted(prompts) for _ in range(LESSONS[name].turns)]
    number = first
    while stop is None or number < stop:
        name = names[number % len(names)]
        rng = generator_for("embedded-document", seed, name, number)
        yield LESSONS[name].write(world, rng, prompts[name])
        number += 1


def _render(prompt: Prompt, **values: object) -> str:
    return _compiled(prompt.template).render(**values)


@lru_cache
def _compiled(template: str) -> Template:
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(template)
