"""The reader `program`: an output is a program, and what it prints last is its answer."""

from __future__ import annotations

from collections.abc import Sequence

from bestpath.answers.programs import answer_of, stated
from bestpath.answers.sandbox import Level, Sandbox


def read(outputs: Sequence[str], isolation: Level) -> list[str]:
    """A sentence that states what each program printed last; an empty one for a program without an answer."""
    with Sandbox(min_level=isolation) as sandbox:
        answers = [answer_of(run) for run in sandbox.run(outputs)]
    return ["" if answer is None else stated(answer) for answer in answers]
