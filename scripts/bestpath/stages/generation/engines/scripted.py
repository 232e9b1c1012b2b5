"""An engine whose answers are written down: for tests and for trying out a method without a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engine import Answering, engine_error, failed

Answer = str | Completion


class ScriptedEngine(Answering[Generate, Completion]):
    """Answers by a function of the request, or by a table from the text of a chat's last message.

    `calls` lists the requests answered, in that order. An exception of the function fails its request. `choose` gets
    the number of requests in flight and says which of them is answered next, so that a test can shuffle them.
    """

    def __init__(
        self,
        answers: Callable[[Generate], Answer] | Mapping[str, Answer],
        capacity: int = 8,
        choose: Callable[[int], int] = lambda in_flight: 0,
    ) -> None:
        super().__init__(capacity)
        self._answers = answers
        self._choose = choose
        self.calls: list[Generate] = []

    def submit(self, ticket: int, request: Generate) -> None:
        """Take a request."""
        self._requests[ticket] = request

    def step(self, timeout: float = 0.0) -> list[tuple[int, Completion]]:
        """Answer one request."""
        if not self._requests:
            return []
        ticket = list(self._requests)[self._choose(len(self._requests))]
        request = self._requests.pop(ticket)
        self.calls.append(request)
        return [(ticket, self._answer(request))]

    def close(self) -> None:
        """Nothing to release."""

    def _answer(self, request: Generate) -> Completion:
        prompt = request.messages[-1].content
        try:
            answer = self._answers[prompt] if isinstance(self._answers, Mapping) else self._answers(request)
        except Exception as error:
            return failed(engine_error(error))
        if isinstance(answer, Completion):
            return answer
        return Completion(answer, len(answer.split()) + 1, len(prompt.split()), "stop")
