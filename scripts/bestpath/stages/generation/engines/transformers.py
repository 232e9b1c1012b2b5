"""The default engine: any causal language model of transformers under a continuous decoding loop of our own."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import torch

from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, engine_error, failed
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.decoder import Decoder
from bestpath.stages.generation.engines.loading import load
from bestpath.stages.generation.engines.pools import Row

_PROMPT_TOKENS = 1024  # new in one pass, unless a single prompt is longer


class TransformersEngine:
    """Runs a model folder in this process, `slots` completions at once.

    `context` is the most tokens of a prompt and its completion together (default: what the model was made for);
    `threads` are those of a CPU.

    On a CPU in float32 with one thread a completion depends on its request alone, to the bit: not on what runs
    beside it, on `slots`, or on when it was submitted. With more threads, in bfloat16 or on a GPU, only its random
    numbers do; there the last bits of the logits vary with the batch.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        slots: int = 128,
        device: str = "cpu",
        dtype: str = "float32",
        context: int | None = None,
        threads: int = 1,
        trust_remote_code: bool = False,
    ) -> None:
        if device == "cpu":
            torch.set_num_threads(threads)
        self._loaded = load(Path(folder), device, dtype, context, trust_remote_code)
        self._chat = Chat(self._loaded.tokenizer)
        self._decoder = Decoder(self._loaded.model, self._loaded.shape, self._loaded.ends, slots, _PROMPT_TOKENS)
        self._slots = slots
        self._requests: dict[int, Generate] = {}
        self._answered: list[tuple[int, Completion]] = []

    @property
    def capacity(self) -> int:
        """The rows that it decodes at once."""
        return self._slots

    @property
    def in_flight(self) -> int:
        """Requests submitted and not yet answered."""
        return len(self._requests) + len(self._answered)

    def submit(self, ticket: int, request: Generate) -> None:
        """Render and queue a request. Raises UserError when the chat template cannot render it."""
        prompt = list(self._chat.prompt(request))
        room = self._loaded.context - len(prompt)
        if room < 1:
            self._answered.append((ticket, failed(PROMPT_TOO_LONG, len(prompt))))
            return
        self._requests[ticket] = request
        limit = min(request.sampling.max_tokens, room)
        self._decoder.add(Row(ticket, prompt, request.sampling, request.seed, limit))

    def step(self, timeout: float = 0.0) -> list[tuple[int, Completion]]:
        """Decode one token of every running completion, and let waiting ones in."""
        answered, self._answered = self._answered, []
        try:
            ended = self._decoder.step()
        except (RuntimeError, FloatingPointError) as error:  # out of memory is a RuntimeError too
            self._decoder.give_up()
            answered += [(ticket, failed(engine_error(error))) for ticket in self._requests]
            self._requests.clear()
            return answered
        return answered + [(row.ticket, self._completion(row)) for row in ended]

    def usage(self) -> dict[str, Any]:
        """Nothing is paid for."""
        return {}

    def close(self) -> None:
        """Free the model's memory."""
        del self._loaded, self._decoder
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _completion(self, row: Row) -> Completion:
        request = self._requests.pop(row.ticket)
        ids = row.generated[:-1] if row.stopped else row.generated
        return Completion(
            text=self._chat.text(request, ids),
            n_tokens=len(row.generated),
            n_prompt_tokens=len(row.prompt),
            finish="stop" if row.stopped else "length",
        )
