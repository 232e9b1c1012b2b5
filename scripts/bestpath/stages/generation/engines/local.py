"""What the engines have in common whose model runs in this process."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, Answer, Answering, Asked, engine_error, failed
from bestpath.stages.generation.engines.chat import Chat

_FAILURES = (RuntimeError, ValueError, FloatingPointError)  # out of memory is a RuntimeError too


@dataclass(frozen=True)
class Options:
    """How a model folder is run: `slots` requests at once.

    `context` is the most tokens of a prompt and its completion together (default: what the model was made for);
    `threads` are those of a CPU.
    """

    slots: int = 128
    device: str = "cpu"
    dtype: str = "float32"
    context: int | None = None
    threads: int = 1
    trust_remote_code: bool = False


class LocalEngine(Answering[Asked, Answer]):
    """Works in steps; one that fails fails everything that is under way."""

    def step(self, timeout: float = 0.0) -> list[tuple[int, Answer]]:
        """One slice of work, and what is answered by now."""
        answered, self._answered = self._answered, []
        if not self._requests:
            return answered
        try:
            ended = self._work()
        except _FAILURES as error:
            self._give_up()
            answered += [(ticket, self._failure(engine_error(error))) for ticket in self._requests]
            self._requests.clear()
            return answered
        return answered + self._answers(ended)

    @abstractmethod
    def _work(self) -> Sequence[Any]:
        """One slice of work; what ended."""

    @abstractmethod
    def _answers(self, ended: Sequence[Any]) -> list[tuple[int, Answer]]:
        """The answers that this makes, their requests no longer under way."""

    @abstractmethod
    def _give_up(self) -> None:
        """Forget everything that is under way: for use after a failed step."""

    @abstractmethod
    def _failure(self, reason: str) -> Answer:
        """The answer to a request that failed."""


class CompletingEngine(LocalEngine[Generate, Completion]):
    """Completes chats: to token ids, and back to text."""

    def __init__(self, slots: int, chat: Chat, context: int) -> None:
        super().__init__(slots)
        self._chat = chat
        self._context = context

    def submit(self, ticket: int, request: Generate) -> None:
        """Render and queue a request. Raises UserError when the chat template cannot render it."""
        prompt = list(self._chat.prompt(request))
        room = self._context - len(prompt)
        if room < 1:
            self._answered.append((ticket, failed(PROMPT_TOO_LONG, len(prompt))))
            return
        self._requests[ticket] = request
        self._start(ticket, request, prompt, min(request.sampling.max_tokens, room))

    @abstractmethod
    def _start(self, ticket: int, request: Generate, prompt: list[int], limit: int) -> None:
        """Queue a request by its token ids, for at most `limit` more."""

    def _failure(self, reason: str) -> Completion:
        return failed(reason)

    def _completed(self, ticket: int, n_prompt_tokens: int, ids: list[int], stopped: bool) -> tuple[int, Completion]:
        """The answer to a request from the ids of its completion, the last one the end token if it `stopped`."""
        request = self._requests.pop(ticket)
        text = self._chat.text(request, ids[:-1] if stopped else ids)
        return ticket, Completion(text, len(ids), n_prompt_tokens, "stop" if stopped else "length")
