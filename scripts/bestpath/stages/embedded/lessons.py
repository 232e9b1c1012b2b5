"""What the base model is taught: a lesson teaches one ability by writing documents.

A document is a user turn, rendered from one of the project's real prompt templates, and the assistant's answer to
it. Every equation and every final answer in it is right: a base model errs because it is small and briefly
trained, never because it was taught mistakes.

A method's lessons stand in a module of its own, which declares them as `LESSONS: dict[str, Lesson]`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from bestpath.core.errors import UserError, nearest
from bestpath.core.prompts import Prompt, load
from bestpath.core.randomness import generator_for
from bestpath.stages.embedded.language import World


@dataclass(frozen=True)
class Document:
    """One exchange to learn from; only the completion counts in the loss."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class Exercise:
    """What is taught under one prompt: the fields of its template, how to write a document, and how many a turn."""

    fields: tuple[str, ...]
    write: Callable[[World, random.Random, Prompt], Document]
    turns: int = 1


Lesson = Mapping[str, Exercise]
"""The exercises of a lesson by the names of their prompts; `embedded.lessons` names the lesson."""


@dataclass(frozen=True)
class Curriculum:
    """All that one base is taught: exercises and their prompts, both by `lesson/prompt` in the order of these names."""

    exercises: Mapping[str, Exercise]
    prompts: Mapping[str, Prompt]

    def only(self, name: str) -> Curriculum:
        """One exercise alone."""
        return Curriculum({name: self.exercises[name]}, {name: self.prompts[name]})


def lessons_of(modules: Iterable[str]) -> dict[str, Lesson]:
    """The lessons that modules declare, by name; a module is named as in an import."""
    return {name: lesson for module in modules for name, lesson in import_module(module).LESSONS.items()}


def curriculum(lessons: Mapping[str, Lesson], templates: Mapping[str, Path]) -> Curriculum:
    """What `templates` asks for, which gives each `lesson/prompt` the file of its template.

    Raises UserError for an unknown lesson or prompt, or a bad template.
    """
    exercises = {f"{lesson}/{prompt}": e for lesson, group in lessons.items() for prompt, e in group.items()}
    for name in templates:
        if name not in exercises:
            hint = nearest(name, exercises)
            raise UserError(
                f"there is no embedded lesson '{name}'; "
                + (f"did you mean '{hint}'?" if hint else f"the lessons are {', '.join(exercises)}")
            )
    prompts = {name: load(path, exercises[name].fields) for name, path in sorted(templates.items())}
    return Curriculum({name: exercises[name] for name in prompts}, prompts)


def documents(
    taught: Curriculum, world: World, seed: int, first: int = 0, stop: int | None = None
) -> Iterator[Document]:
    """The documents number `first` to `stop` of an endless stream; the exercises take turns.

    Each document depends on (seed, number) alone.
    """
    names = [name for name, exercise in taught.exercises.items() for _ in range(exercise.turns)]
    number = first
    while stop is None or number < stop:
        name = names[number % len(names)]
        rng = generator_for("embedded-document", seed, name, number)
        yield taught.exercises[name].write(world, rng, taught.prompts[name])
        number += 1
