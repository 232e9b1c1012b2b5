"""Continuous decoding: rows leave as soon as they end, and new ones take their places in the very next pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

import torch
from transformers import PreTrainedModel

from bestpath.stages.generation.engines.attention import Pass
from bestpath.stages.generation.engines.pools import Pools, Row, Shape
from bestpath.stages.generation.engines.prefixes import BLOCK, Prefixes, block_names
from bestpath.stages.generation.engines.sampling import draw

_BLOCKS_PER_SLOT = 8


class Decoder:
    """Runs up to `slots` rows at once on a model whose attention is `attention.ATTENTION`.

    A row ends at a token of `ends` or at its `limit`. New prompts enter a pass up to about `prompt_tokens` tokens,
    so that passes stay short.
    """

    def __init__(
        self, model: PreTrainedModel, shape: Shape, ends: Collection[int], slots: int, prompt_tokens: int
    ) -> None:
        self._model = model
        self._ends = frozenset(ends)
        self._slots = slots
        self._prompt_tokens = prompt_tokens
        self._waiting: deque[Row] = deque()
        self._pools = Pools(shape)
        self._prefixes = Prefixes(_BLOCKS_PER_SLOT * slots)

    def add(self, row: Row) -> None:
        """Let a row wait for a place."""
        row.blocks = block_names(row.prompt)
        self._waiting.append(row)

    @torch.inference_mode()
    def step(self) -> list[Row]:
        """One token for every running row; returns the rows that ended."""
        new = self._admit()
        batch = Pass(self._pools)
        if not batch.rows:
            return []
        logits = self._model(
            input_ids=batch.tokens,
            position_ids=batch.positions,
            logits_to_keep=batch.last,
            use_cache=False,
            attending=batch,
        ).logits[0, : len(batch.rows)]
        for row in new:
            self._prefixes.remember(row)
        tokens = draw(logits, batch.rows).tolist()
        return [row for row, token in zip(batch.rows, tokens, strict=True) if self._ended(row, token)]

    def give_up(self) -> None:
        """Forget all rows, running and waiting: for use after a failed step."""
        self._waiting.clear()
        self._pools = Pools(self._pools.shape)

    def _admit(self) -> list[Row]:
        """Let waiting rows in, the first come first; but let a row wait for a block that another one computes now."""
        new: list[Row] = []
        held: list[Row] = []
        being_computed: set[bytes] = set()
        budget = self._prompt_tokens
        free = self._slots - len(self._pools)
        while self._waiting and len(new) < free:
            row = self._waiting.popleft()
            known = self._prefixes.known(row.blocks)
            fresh = len(row.prompt) - known * BLOCK
            if new and fresh > budget:
                held.append(row)
                break
            if not being_computed.isdisjoint(row.blocks[known:]):
                held.append(row)
                continue
            budget -= fresh
            being_computed.update(row.blocks[known:])
            self._pools.admit(row)
            self._prefixes.restore(row, known)
            new.append(row)
        self._waiting.extendleft(reversed(held))
        return new

    def _ended(self, row: Row, token: int) -> bool:
        row.generated.append(token)
        row.stopped = token in self._ends
        if row.stopped or len(row.generated) >= row.limit:
            self._pools.remove(row)
            return True
        self._pools.fit(row)
        return False
