"""The default engine: any causal language model of transformers under a continuous decoding loop of our own."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.decoder import Decoder
from bestpath.stages.generation.engines.loading import load
from bestpath.stages.generation.engines.local import CompletingEngine, Options
from bestpath.stages.generation.engines.pools import Row

_PROMPT_TOKENS = 1024  # new in one pass, unless a single prompt is longer


def open_engine(folder: Path, **settings: Any) -> TransformersEngine:
    """Open the engine on a model folder; settings as in `Options`."""
    return TransformersEngine(folder, **settings)


class TransformersEngine(CompletingEngine):
    """Runs a model folder in this process, as `Options` say.

    On a CPU in float32 with one thread a completion depends on its request alone, to the bit: not on what runs
    beside it, on `slots`, or on when it was submitted. With more threads, in bfloat16 or on a GPU, only its random
    numbers do; there the last bits of the logits vary with the batch.
    """

    def __init__(self, folder: Path | str, **settings: Any) -> None:
        options = Options(**settings)
        self._loaded = load(Path(folder), options)
        super().__init__(options.slots, Chat(self._loaded.tokenizer), self._loaded.context)
        model, shape, ends = self._loaded.model, self._loaded.shape, self._loaded.ends
        self._decoder = Decoder(model, shape, ends, options.slots, _PROMPT_TOKENS)

    def close(self) -> None:
        """Free the model's memory."""
        del self._loaded, self._decoder
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self, ticket: int, request: Generate, prompt: list[int], limit: int) -> None:
        self._decoder.add(Row(ticket, prompt, request.sampling, request.seed, limit))

    def _work(self) -> Sequence[Row]:
        """Decode one token of every running completion, and let waiting ones in."""
        return self._decoder.step()

    def _answers(self, ended: Sequence[Row]) -> list[tuple[int, Completion]]:
        return [self._completed(row.ticket, len(row.prompt), row.generated, row.stopped) for row in ended]

    def _give_up(self) -> None:
        self._decoder.give_up()
