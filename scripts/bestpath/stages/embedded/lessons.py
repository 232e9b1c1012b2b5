"""What the base model is taught: a lesson teaches one ability by writing documents.

A document is a user turn, rendered from one of the project's real prompt templates, and the assistant's answer to
it. Every equation and every final answer in it is right: a base model errs because it is small and briefly
trained, never because it was taught mistakes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from bestpath.errors import UserError, nearest
from bestpath.prompts import Prompt, load
from bestpath.randomness import generator_for
from bestpath.stages.embedded.language import Problem, World, draw
from bestpath.stages.embedded.steps import Style, next_step, plan, write_out

NO_STEPS = "(none)"


@dataclass(frozen=True)
class Document:
    """One exchange to learn from; only the completion counts in the loss."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class Lesson:
    """One ability: the fields of its prompt template, and how to write a document for that prompt."""

    fields: tuple[str, ...]
    write: Callable[[World, random.Random, Prompt], Document]


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


LESSONS: Mapping[str, Lesson] = {
    "recut/neutral": Lesson(("problem",), solve),
    "recut/long": Lesson(("problem", "previous", "step"), partial(continue_solution, style="long")),
    "recut/short": Lesson(("problem", "previous", "step"), partial(continue_solution, style="short")),
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
    names = sorted(prompts)
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
