"""What the driver asks of an engine, whatever it runs on: to complete chats, or to score them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from bestpath.core.search import Completion, Generate, Score, Scored

PROMPT_TOO_LONG = "prompt_too_long"

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Answering(ABC, Generic[Asked, Answer]):
    """Answers requests, many at a time and in any order.

    A failed request is answered with an `error` (see `failed` and `unscored`); it is the driver that asks again.
    An exception from `submit` or `step` ends the run.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._requests: dict[int, Asked] = {}
        """What is under way, by ticket."""
        self._answered: list[tuple[int, Answer]] = []
        """What was answered at once, for the next step."""

    @property
    def capacity(self) -> int:
        """The most requests that it works on at once."""
        return self._capacity

    @property
    def in_flight(self) -> int:
        """Requests submitted and not yet answered."""
        return len(self._requests) + len(self._answered)

    @abstractmethod
    def submit(self, ticket: int, request: Asked) -> None:
        """Take a request, known by its ticket until it is answered. Does not wait.

        Raises UserError when the model cannot be asked that.
        """

    @abstractmethod
    def step(self, timeout: float = 0.0) -> list[tuple[int, Answer]]:
        """Do one short slice of work and return what is answered now.

        An engine that works elsewhere waits for an answer at most `timeout` seconds.
        """

    def usage(self, role: str) -> dict[str, Any]:
        """What its answers to a role cost besides tokens; empty for an engine that is not paid for."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """Release what it holds."""


Engine = Answering[Generate, Completion]
Scorer = Answering[Score, Scored]


def failed(reason: str, n_prompt_tokens: int = 0) -> Completion:
    """The answer to a `Generate` request that failed."""
    return Completion("", 0, n_prompt_tokens, "error", reason)


def unscored(reason: str, n_tokens: int = 0) -> Scored:
    """The answer to a `Score` request that failed."""
    return Scored(None, n_tokens, reason)


def engine_error(error: BaseException) -> str:
    """The reason of a failure within an engine, in one line."""
    first_line = (str(error).splitlines() or [""])[0]
    return f"engine_error: {type(error).__name__}: {first_line}"
