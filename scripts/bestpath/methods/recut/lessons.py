"""What ReCUT needs of the embedded base: to solve at length and briefly, and to go on from steps of either kind."""

from __future__ import annotations

import random
from functools import partial

from bestpath.core.prompts import Prompt
from bestpath.stages.embedded.language import Problem, World, draw
from bestpath.stages.embedded.lessons import Document, Exercise, Lesson
from bestpath.stages.embedded.steps import Style, next_step, plan, write_out

NO_STEPS = "(none)"


def solve(world: World, rng: random.Random, prompt: Prompt) -> Document:
    """Solve a problem from its first step, in the neutral style."""
    problem = draw(world, rng, "pretrain")
    steps = plan(world, rng, problem, "neutral")
    return Document(prompt.render(problem=problem.question), write_out(problem, steps))


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
    text = prompt.render(problem=problem.question, previous=previous or NO_STEPS, step=len(given) + 1)
    return Document(text, write_out(problem, [*given, *rest], first=len(given) + 1))


LESSONS: dict[str, Lesson] = {
    "recut": {
        "neutral": Exercise(("problem",), solve),
        "long": Exercise(("problem", "previous", "step"), partial(continue_solution, style="long")),
        "short": Exercise(("problem", "previous", "step"), partial(continue_solution, style="short")),
    }
}
