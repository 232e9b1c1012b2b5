"""One forward pass over many completions at once, through the model's own `forward`.

The tokens of a pass lie one after another in a single sequence: the newest token of every running row, then the whole
prompts of new rows, then padding. Every layer but attention treats tokens one by one, so attention alone must know
which token belongs to which row; transformers takes it by name, as it does for its own continuous batching.

Attention is computed in calls whose shape depends on one row alone: on its pool's width, or on the place of a block in
its prompt. On a CPU with one thread, linear layers give a token the same bits whatever else is in the pass if it has
at least 4 tokens (fewer take another kernel), and so do element-wise functions if the number of values is a multiple
of 32 (the remainder takes another path). Hence the padding, and results that do not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from bestpath.stages.generation.engines.pools import Pool, Row, Shape
from bestpath.stages.generation.engines.prefixes import BLOCK

ATTENTION = "bestpath"
_MULTIPLE = 16


class Heads(NamedTuple):
    """What one layer hands to attention: queries, keys and values of all tokens, [tokens, heads, size] each."""

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

    `running` gives for each pool how many of its first rows take part with their newest token; `new` are rows that
    come in with their prompt. `rows` lists them all in the order of their logits, which stand at the places `last`.
    """

    def __init__(self, shape: Shape, running: Sequence[tuple[Pool, int]], new: Sequence[Row]) -> None:
        self.rows: list[Row] = []
        self._parts: list[tuple[int, int, _Newest | _Prompt]] = []
        tokens: list[int] = []
        positions: list[int] = []
        for pool, count in running:
            rows = pool.rows[:count]
            newest = [row.length - 1 for row in rows]
            self._parts.append((len(tokens), len(tokens) + count, _Newest(shape, pool, newest)))
            tokens += [row.generated[-1] for row in rows]
            positions += newest
            self.rows += rows
        last = list(range(len(tokens)))
        causal = _causal(shape, max((len(row.prompt) for row in new), default=0))
        for row in new:
            start = len(tokens)
            tokens += row.prompt[row.n_known :]
            positions += range(row.n_known, len(row.prompt))
            self._parts.append((start, len(tokens), _Prompt(row, causal)))
            self.rows.append(row)
            last.append(len(tokens) - 1)
        self._padding = -len(tokens) % _MULTIPLE
        padding = [0] * self._padding
        self.tokens = torch.tensor([tokens + padding], device=shape.device)
        self.positions = torch.tensor([positions + padding], device=shape.device)
        self.last = torch.tensor(last + [0] * (-len(last) % _MULTIPLE), device=shape.device)

    def attend(self, layer: int, heads: Heads) -> Tensor:
        """Store the keys and values of the pass, and let every token attend over those of its row."""
        parts = [part for start, stop, rows in self._parts for part in rows.attend(layer, heads.of(start, stop))]
        if self._padding:
            parts.append(heads.queries.new_zeros(self._padding, heads.queries.shape[1], heads.values.shape[2]))
        return torch.cat(parts)


class _Newest:
    """The newest tokens of the first rows of a pool, which stand at the given positions."""

    def __init__(self, shape: Shape, pool: Pool, positions: Sequence[int]) -> None:
        self._pool = pool
        position = torch.tensor(positions, device=shape.device).repeat_interleave(shape.heads)
        head = torch.arange(len(position), device=shape.device)
        # Where the new keys go in the pool's [rows * heads * width], and what each head sees of its width.
        self._places = head * pool.width + position
        unseen = torch.arange(pool.width, device=shape.device) > position[:, None]
        mask = torch.zeros(unseen.shape, dtype=shape.dtype, device=shape.device)
        self._mask = mask.masked_fill_(unseen, float("-inf"))[:, None]

    def attend(self, layer: int, heads: Heads) -> list[Tensor]:
        keys = self._store(self._pool.keys[layer], heads.keys)
        values = self._store(self._pool.values[layer], heads.values)
        # Query heads that share a key head form one matrix: no key is ever repeated.
        queries = heads.queries.reshape(len(keys), -1, heads.queries.shape[2])
        scores = torch.baddbmm(self._mask, queries, keys.transpose(1, 2), alpha=heads.scale)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(values.dtype)
        return [torch.bmm(weights, values).view(*heads.queries.shape[:2], -1)]

    def _store(self, stored: Tensor, fresh: Tensor) -> Tensor:
        """Add the fresh ones to those stored; returns all of these rows, [rows * heads, width, size]."""
        size = stored.shape[-1]
        stored.view(-1, size).index_copy_(0, self._places, fresh.reshape(-1, size))
        return stored.view(-1, self._pool.width, size)[: len(self._places)]


class _Prompt:
    """The prompt of a new row, what is known of it left out: causal attention, block by block."""

    def __init__(self, row: Row, causal: Tensor) -> None:
        pool, index = row.place
        self._keys, self._values = pool.keys[:, index], pool.values[:, index]
        longest = causal.shape[1] - BLOCK
        self._fresh = slice(row.n_known, len(row.prompt))
        self._masks = []
        for start in range(row.n_known, len(row.prompt), BLOCK):
            stop = min(start + BLOCK, len(row.prompt))
            self._masks.append(causal[: stop - start, longest - start : longest - start + stop])

    def attend(self, layer: int, heads: Heads) -> list[Tensor]:
        keys, values = self._keys[layer], self._values[layer]
        keys[:, self._fresh] = heads.keys.transpose(0, 1)
        values[:, self._fresh] = heads.values.transpose(0, 1)
        parts = []
        for queries, mask in zip(heads.queries.split(BLOCK), self._masks, strict=True):
            seen = mask.shape[1]
            part = scaled_dot_product_attention(
                queries.transpose(0, 1)[None],
                keys[None, :, :seen],
                values[None, :, :seen],
                attn_mask=mask,
                scale=heads.scale,
                enable_gqa=queries.shape[1] != keys.shape[0],
            )
            parts.append(part[0].transpose(0, 1))
        return parts


def _causal(shape: Shape, longest: int) -> Tensor:
    """Any block's causal mask is a slice of this one: `longest` columns of 0, then a triangle."""
    triangle = torch.full((BLOCK, longest + BLOCK), float("-inf"), dtype=shape.dtype, device=shape.device)
    return triangle.triu_(longest + 1)


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
    heads = Heads(*(x[0].transpose(0, 1) for x in (query, key, value)), scale)
    return attending.attend(cast(int, module.layer_idx), heads)[None], None


AttentionInterface.register(ATTENTION, _attention)
