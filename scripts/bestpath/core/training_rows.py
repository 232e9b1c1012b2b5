"""What the training rows of all methods share: the prompt that is trained on, and messages as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.core.prompts import Prompt
from bestpath.core.search import Message
from bestpath.core.tables import Row

Turns = list[dict[str, str]]

PromptTokens = Callable[[Sequence[Message]], int]
"""Counts a chat's tokens under the model's chat template, up to where the assistant's turn begins."""


@dataclass(frozen=True)
class TrainPrompt:
    """The prompt of the training rows.

    `neutral` is the evaluation prompt, which asks for the step markers that the answers carry; `bare` is the
    question alone, as in the released data.
    """

    kind: Literal["neutral", "bare"]
    neutral: Prompt
    count: PromptTokens

    def messages(self, question: str) -> tuple[Message, ...]:
        """The chat for one question."""
        if self.kind == "bare":
            return (Message("user", question),)
        return self.neutral.messages(problem=question)


def turns(messages: Sequence[Message]) -> Turns:
    """Messages as TRL reads them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def answer_turn(text: str) -> Turns:
    """A completion as the assistant's one turn."""
    return turns([Message("assistant", text)])


def split_dev(rows: Iterable[Row], problems: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Training and dev rows, by the `split` of their problems: no problem is in both."""
    dev = {problem["problem_id"] for problem in problems if problem["split"] == "dev"}
    parts: tuple[list[Row], list[Row]] = ([], [])
    for row in rows:
        parts[row["problem_id"] in dev].append(row)
    return parts
