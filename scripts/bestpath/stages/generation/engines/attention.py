"""One forward pass over many completions at once, through the model's own `forward`.

The tokens of a pass lie one after another in a single sequence: pool by pool the newest token of every running row and
the prompts of new rows, then padding. Every layer but attention treats tokens one by one, so attention alone must know
which token belongs to which row; transformers takes it by name, as it does for its own continuous batching.

Attention is computed in batches of equal shape, and the shape is a matter of the row alone: its pool's width, or the
place of a block in its prompt. On a CPU with one thread, linear layers give a token the same bits whatever else is in
the pass if it has at least 4 tokens (fewer take another kernel), and so do element-wise functions if the number of
values is a multiple of 32 (a remainder takes another path). Hence the padding, and results that do not depend on the
batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from bestpath.stages.generation.engines.pools import Pool, Pools, Row, Shape
from bestpath.stages.generation.engines.prefixes import BLOCK

ATTENTION = "bestpath"
_MULTIPLE = 32


class Heads(NamedTuple):
    """What one layer hands to attention: queries, keys and values of some tokens, [tokens, heads, size] each."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    scale: float

    def of(self, start: int, stop: int) -> Heads:
        """Those of the tokens `start` to `stop`."""
        return Heads(self.queries[start:stop], self.keys[start:stop], self.values[start:stop], self.scale)


class Attending(Protocol):
    """Attention of one forward pass."""

    def attend(self, layer: int, heads: Heads) -> Tensor:
        """What each token makes of those it sees, [tokens, heads, value size]."""
        ...


class Pass:
    """The tokens of one forward pass, and attention among them.

    Rows that have no token of their own yet take part with their prompt, the others with their newest token. `rows`
    lists all of them in the order of their logits, which stand at the places `last`.
    """

    def __init__(self, pools: Pools) -> None:
        shape = pools.shape
        self.rows: list[Row] = []
        self._parts: list[tuple[int, int, _Part]] = []
        tokens: list[int] = []
        positions: list[int] = []
        last: list[int] = []
        for pool in pools:
            start = len(tokens)
            running = [row for row in pool.rows if row.generated]
            new = pool.rows[len(running) :]  # rows are admitted behind those that run
            tokens += [row.generated[-1] for row in running]
            positions += [row.length - 1 for row in running]
            last += range(start, len(tokens))
            for row in new:
                tokens += row.prompt[row.n_known :]
                positions += range(row.n_known, len(row.prompt))
                last.append(len(tokens) - 1)
            self.rows += pool.rows
            part = _Part(shape, pool, running, new, positions[start:])
            self._parts.append((start, len(tokens), part))
        self._padding = -len(tokens) % _MULTIPLE
        padding = [0] * self._padding
        self.tokens = torch.tensor([tokens + padding], device=shape.device)
        self.positions = torch.tensor([positions + padding], device=shape.device)
        self.last = torch.tensor(last + [0] * (-len(last) % _MULTIPLE), device=shape.device)

    def attend(self, layer: int, heads: Heads) -> Tensor:
        """Store the keys and values of the pass, and let every token attend over those of its row."""
        outputs = [output for start, stop, part in self._parts for output in part.attend(layer, heads.of(start, stop))]
        if self._padding:
            outputs.append(heads.queries.new_zeros(self._padding, heads.queries.shape[1], heads.values.shape[2]))
        return torch.cat(outputs)


class _Part:
    """The tokens of one pool's rows: the newest of `running`, then the prompts of `new`, at `positions`."""

    def __init__(
        self, shape: Shape, pool: Pool, running: Sequence[Row], new: Sequence[Row], positions: Sequence[int]
    ) -> None:
        self._pool = pool
        self._running = len(running)
        rows = np.arange(len(pool.rows))
        lengths = [1] * len(running) + [len(row.prompt) - row.n_known for row in new]
        # Where the new keys go in the pool's flattened [rows, heads, width].
        heads = np.repeat(rows, lengths)[:, None] * shape.heads + np.arange(shape.heads)
        places = heads * pool.width + np.array(positions)[:, None]
        self._places = torch.from_numpy(places.ravel()).to(shape.device)
        newest = torch.tensor(positions[: len(running)], device=shape.device)
        unseen = torch.arange(pool.width, device=shape.device) > newest[:, None]
        mask = torch.zeros(unseen.shape, dtype=shape.dtype, device=shape.device)
        self._mask = mask.masked_fill_(unseen, float("-inf"))[:, None, None]
        self._blocks = _Blocks(shape, pool, len(running), new) if new else None

    def attend(self, layer: int, heads: Heads) -> list[Tensor]:
        keys, values = self._pool.keys[layer], self._pool.values[layer]
        for stored, fresh in ((keys, heads.keys), (values, heads.values)):
            stored.view(-1, stored.shape[-1]).index_copy_(0, self._places, fresh.reshape(-1, stored.shape[-1]))
        outputs = []
        if self._running:
            outputs.append(self._attend_running(heads.queries[: self._running], keys, values, heads.scale))
        if self._blocks:
            outputs.append(self._blocks.attend(heads.queries[self._running :], keys, values, heads.scale))
        return outputs

    def _attend_running(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        keys, values = (stored[: self._running].flatten(0, 1) for stored in (keys, values))
        # Query heads that share a key head form one matrix: no key is ever repeated.
        grouped = queries.reshape(len(keys), -1, queries.shape[2])
        scores = torch.bmm(grouped, keys.transpose(1, 2)).view(self._running, -1, *grouped.shape[1:2], keys.shape[1])
        weights = torch.softmax(torch.add(self._mask, scores, alpha=scale), -1, dtype=torch.float32)
        return torch.bmm(weights.to(values.dtype).flatten(0, 1), values).view(*queries.shape[:2], -1)


class _Blocks:
    """The prompts of the rows from `first` on in a pool: causal attention, one block of all of them after another.

    A block is always computed whole, 32 queries over all keys up to its end; where a prompt has no fresh token in it,
    the outcome is left out.
    """

    def __init__(self, shape: Shape, pool: Pool, first: int, new: Sequence[Row]) -> None:
        self._rows = slice(first, first + len(new))
        self._first_block = min(row.n_known for row in new) // BLOCK
        self._end = -(-max(len(row.prompt) for row in new) // BLOCK)
        places = []
        for i, row in enumerate(new):
            block, inside = np.divmod(np.arange(row.n_known, len(row.prompt)), BLOCK)
            places.append(((block - self._first_block) * len(new) + i) * BLOCK + inside)
        place_of_token = np.concatenate(places)
        token_of_place = np.zeros((self._end - self._first_block) * len(new) * BLOCK, dtype=np.int64)
        token_of_place[place_of_token] = np.arange(len(place_of_token))
        self._place_of_token = torch.from_numpy(place_of_token).to(shape.device)
        self._token_of_place = torch.from_numpy(token_of_place).to(shape.device)
        causal = torch.full((BLOCK, self._end * BLOCK), float("-inf"), dtype=shape.dtype, device=shape.device)
        self._causal = causal.triu_((self._end - 1) * BLOCK + 1)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        keys, values = keys[self._rows], values[self._rows]
        blocks = queries[self._token_of_place].view(-1, len(keys), BLOCK, *queries.shape[1:]).transpose(2, 3)
        outputs = []
        for block, block_queries in enumerate(blocks, self._first_block):
            seen = (block + 1) * BLOCK
            output = scaled_dot_product_attention(
                block_queries,
                keys[:, :, :seen],
                values[:, :, :seen],
                attn_mask=self._causal[:, -seen:],
                scale=scale,
                enable_gqa=queries.shape[1] != keys.shape[1],
            )
            outputs.append(output.transpose(1, 2).flatten(0, 1))
        return torch.cat(outputs)[self._place_of_token]


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    *,
    attending: Attending,
    **_: Any,
) -> tuple[Tensor, None]:
    """What transformers calls in every layer, with [1, heads, tokens, size]; returns [1, tokens, heads, size]."""
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    heads = Heads(query[0].transpose(0, 1), key[0].transpose(0, 1), value[0].transpose(0, 1), scale)
    return attending.attend(cast(int, module.layer_idx), heads)[None], None


AttentionInterface.register(ATTENTION, _attention)
