"""Programs that a model has written, as texts: what is run of a completion, and what a run answers.

A program is the text of a completion, without its code fence. What it prints last is its answer; a program that prints
nothing has none. `sandbox` runs them.
"""

from __future__ import annotations

import re

from bestpath.core.search import Ran

_FENCE = re.compile(r"```[ \t]*(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)


def program_of(completion: str) -> str:
    """The program in a completion: the content of its first code fence, closed or not, or all of it."""
    fence = _FENCE.search(completion)
    return fence[1] if fence else completion


def answer_of(ran: Ran) -> str | None:
    """The last line that a program printed; None if it printed nothing or did not end well."""
    lines = [line.strip() for line in ran.stdout.splitlines() if line.strip()]
    return lines[-1] if lines and ran.status == "ok" else None


def stated(answer: str) -> str:
    """A sentence that states an answer, for grading."""
    return f"The answer is {answer}"
