"""The prompts of GSI, and what each is given."""

from __future__ import annotations

from collections.abc import Mapping

PROMPT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "plain": ("problem",),
    "answer": ("problem", "answer"),
    "rationale": ("problem", "reference"),
    "feedback": ("problem", "attempt", "answer", "reference"),
    "revise": ("problem", "attempt", "feedback"),
}
"""The prompts and their fields; `feedback` is the teacher's."""
