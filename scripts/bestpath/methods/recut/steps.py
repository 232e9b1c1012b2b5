"""Steps and their markers (docs/recut.md, steps): which step a completion takes next, and whether it is the last.

A marker stands at the start of a line: the word "step" and an integer, in optional brackets, asterisks or hashes,
with an optional colon or period. A step runs from its marker to the next marker or to a line that starts with
"Final answer". Anything looser cuts steps at numbers of the text (`6/2 = 3. So ...` at step 3).
"""

from __future__ import annotations

import re

from bestpath.answers.extraction import FINAL_ANSWER_MARKER

# At most six digits: a degenerate completion may hold thousands, more than Python turns into an integer. What stands
# before the word is matched possessively (`*+`): backtracking through a line of blanks would take quadratic time.
_MARKER = re.compile(
    r"^[ \t]*+(?:\#++[ \t]*+)?(?P<stars>\*++)?[ \t]*+[\[(]?step[ \t]*(?P<number>[0-9]{1,6})(?!\w|\.[0-9])[\])]?"
    r"(?(stars)\**)[ \t]*[:.]?(?(stars)\**)",
    re.IGNORECASE | re.MULTILINE,
)

OVERLAP = 0.9
"""A step repeats another when a larger share of its 4-grams occurs there."""


def next_step(text: str, k: int, truncated: bool = False) -> tuple[str | None, str | None]:
    """Step `k` of a completion as `[STEPk]: body`, or None and the reason why there is none.

    Reasons: `no_step_marker`, `wrong_step_number` (there are steps, but no step k), `empty_step`, and for a
    truncated completion `unfinished_step` (nothing shows where the step would have ended).
    """
    markers = list(_MARKER.finditer(text))
    if not markers:
        return None, "no_step_marker"
    marker = next((m for m in markers if int(m["number"]) == k), None)
    if marker is None:
        return None, "wrong_step_number"
    ends = [m.start() for m in markers if m.start() > marker.start()]
    ends += [m.start() for m in FINAL_ANSWER_MARKER.finditer(text, marker.end())]
    if truncated and not ends:
        return None, "unfinished_step"
    body = text[marker.end() : min(ends, default=len(text))].strip()
    return (f"[STEP{k}]: {body}", None) if body else (None, "empty_step")


def count_steps(text: str) -> int:
    """The number of step markers in a text."""
    return sum(1 for _ in _MARKER.finditer(text))


def terminal(text: str, k: int, has_answer: bool) -> bool:
    """Whether a completion asked for step `k` ends with it: it has an answer and no marker greater than `k`."""
    return has_answer and all(int(marker["number"]) <= k for marker in _MARKER.finditer(text))


def boxed(step: str) -> bool:
    """Whether a step holds a final answer in a box: the released stop rule."""
    return r"\boxed{" in step


def repeats(step: str, kept: list[str]) -> bool:
    """Whether a step says what a kept one has said: equal up to case and spaces, or 4-gram overlap > 0.9."""
    words = _words(step)
    return any(words == _words(other) or _overlap(words, _words(other)) > OVERLAP for other in kept)


def _words(step: str) -> list[str]:
    return _MARKER.sub("", step, count=1).casefold().split()


def _overlap(words: list[str], others: list[str]) -> float:
    """The share of the 4-grams of `words` that occur in `others`; 0 when there are none."""
    grams, known = (set(zip(*(seq[i:] for i in range(4)), strict=False)) for seq in (words, others))
    return len(grams & known) / len(grams) if grams else 0.0
