"""Scoring of chats, whatever computes it: from chats to token ids and back to scores, every text once."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from bestpath.core.errors import UserError
from bestpath.core.search import Measure, Message, Score, Scored
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, unscored
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.local import LocalEngine

_NO_NUMBER = "engine_error: the score is not a number"


@dataclass(frozen=True)
class Text:
    """Token ids to be scored: a reward is that of the last one, a likelihood that of those from `start` on."""

    ids: tuple[int, ...]
    start: int

    @property
    def name(self) -> str:
        """A digest that no other text has."""
        return blake2b(array("q", (self.start, *self.ids)).tobytes(), digest_size=16).hexdigest()


class Rendering:
    """Turns chats to texts: for a reward whole, by the model's own template; for a likelihood as the model writes.

    `padding` is a reward model's padding token, if it has one. For transformers a text ends before its padding, in
    training too, even where the template's end token serves as padding; so it is taken off the end of a chat.
    """

    def __init__(self, chat: Chat, of: Measure, ends: frozenset[int] = frozenset(), padding: int | None = None) -> None:
        self._chat = chat
        self._padding = padding
        self._end = None if of == "reward" else chat.end_of_turn(ends)

    def text(self, messages: tuple[Message, ...]) -> Text:
        """Raises UserError when the chat template cannot render the chat."""
        if self._end is not None:
            before, turn = self._chat.answered(messages, self._end)
            return Text((*before, *turn), len(before))
        ids = self._chat.conversation(messages)
        while ids[-1:] == (self._padding,):
            ids = ids[:-1]
        return Text(ids, 0)


class TextScorer(Protocol):
    """Scores texts that fit, many at a time and in any order."""

    @property
    def longest(self) -> int:
        """The most tokens of a text."""
        ...

    def add(self, name: str, text: Text) -> None:
        """Take a text, known by its name. Does not wait."""
        ...

    def step(self) -> list[tuple[str, float]]:
        """Do one slice of work and return the scores known now. May raise RuntimeError."""
        ...

    def give_up(self) -> None:
        """Forget all texts: for use after a failed step."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class ScoringEngine(LocalEngine[Score, Scored]):
    """Answers `Score` requests of one kind with a model, up to `slots` at once.

    Equal texts are scored once. A chat that does not fit is answered with the error PROMPT_TOO_LONG, never cut.
    """

    def __init__(self, of: Measure, rendering: Rendering, scorer: TextScorer, slots: int) -> None:
        super().__init__(slots)
        self._of = of
        self._rendering = rendering
        self._scorer = scorer
        self._known: dict[str, float] = {}
        self._waiting: dict[str, list[tuple[int, Text]]] = {}

    def submit(self, ticket: int, request: Score) -> None:
        """Render and queue a request. Raises UserError when the model cannot give such a score or render the chat."""
        if request.of != self._of:
            raise UserError(
                f"the model of the role '{request.role}' gives a {self._of}, and a {request.of} is asked; "
                "set another model for the role"
            )
        text = self._rendering.text(request.messages)
        name = text.name
        if len(text.ids) > self._scorer.longest:
            self._answered.append((ticket, unscored(PROMPT_TOO_LONG, _n_tokens(text))))
        elif name in self._known:
            self._answered.append((ticket, Scored(self._known[name], _n_tokens(text))))
        else:
            if name not in self._waiting:
                self._scorer.add(name, text)
            self._waiting.setdefault(name, []).append((ticket, text))
            self._requests[ticket] = request

    def close(self) -> None:
        """Release what the model holds."""
        self._scorer.close()

    def _work(self) -> Sequence[tuple[str, float]]:
        """Score some texts."""
        return self._scorer.step()

    def _answers(self, ended: Sequence[tuple[str, float]]) -> list[tuple[int, Scored]]:
        answered = []
        for name, score in ended:
            finite = math.isfinite(score)
            if finite:
                self._known[name] = score
            for ticket, text in self._waiting.pop(name):
                del self._requests[ticket]
                scored = Scored(score, _n_tokens(text)) if finite else self._failure(_NO_NUMBER)
                answered.append((ticket, scored))
        return answered

    def _give_up(self) -> None:
        self._scorer.give_up()
        self._waiting.clear()

    def _failure(self, reason: str) -> Scored:
        return unscored(reason)


def _n_tokens(text: Text) -> int:
    return len(text.ids) - text.start


def score_all(scorer: TextScorer, texts: Sequence[Text]) -> list[float]:
    """The scores of different texts, in order."""
    names = [text.name for text in texts]
    for name, text in zip(names, texts, strict=True):
        scorer.add(name, text)
    found: dict[str, float] = {}
    while len(found) < len(texts):
        found.update(scorer.step())
    return [found[name] for name in names]
