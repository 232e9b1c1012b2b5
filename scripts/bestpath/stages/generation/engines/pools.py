"""Where the keys and values of running completions lie.

Every running completion (a row) lies in the pool of its length: all rows of a pool are padded to one width, and the
width depends on a row's length alone. So a row is computed the same way whatever runs beside it, which makes results
independent of the batch to the bit on a CPU, and no row attends over more padding than its own. A row that outgrows
its pool moves to the next. A pool is one block without gaps, which attention reads at full memory speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bestpath.core.search import Sampling

STEP = 64
_FIRST_CAPACITY = 8


@dataclass(frozen=True)
class Shape:
    """What one token stores: `heads` keys and `heads` values in each of `layers` layers."""

    layers: int
    heads: int
    key_size: int
    value_size: int
    dtype: torch.dtype
    device: torch.device

    def zeros(self, rows: int, width: int) -> tuple[Tensor, Tensor]:
        """Room for keys and values, each [layers, rows, heads, width, size]."""
        keys, values = (
            torch.zeros(self.layers, rows, self.heads, width, size, dtype=self.dtype, device=self.device)
            for size in (self.key_size, self.value_size)
        )
        return keys, values


@dataclass(eq=False, slots=True)
class Row:
    """One running completion. Its keys lie at place `index` of `pool`.

    `blocks` names the whole blocks of its prompt, whose first `n_known` tokens need not be computed (`prefixes`).
    """

    ticket: int
    prompt: list[int]
    sampling: Sampling
    seed: int
    limit: int
    blocks: list[bytes] = field(default_factory=list)
    n_known: int = 0
    generated: list[int] = field(default_factory=list)
    stopped: bool = False
    pool: Pool | None = None
    index: int = 0

    @property
    def length(self) -> int:
        """Tokens so far, of prompt and completion."""
        return len(self.prompt) + len(self.generated)

    @property
    def place(self) -> tuple[Pool, int]:
        """The pool of a running row, and its index there."""
        if self.pool is None:
            raise ValueError(f"row {self.ticket} is not running")
        return self.pool, self.index


class Pool:
    """The rows of one width, at places 0, 1, ... without holes. Keys: [layers, capacity, heads, width, key size]."""

    def __init__(self, shape: Shape, width: int) -> None:
        self.width = width
        self.rows: list[Row] = []
        self._shape = shape
        self.keys, self.values = shape.zeros(_FIRST_CAPACITY, width)

    def add(self, row: Row) -> None:
        """Give the row the next place; what lies there is arbitrary but finite."""
        capacity = self.keys.shape[1]
        if len(self.rows) == capacity:
            more_keys, more_values = self._shape.zeros(capacity, self.width)
            self.keys = torch.cat([self.keys, more_keys], 1)
            self.values = torch.cat([self.values, more_values], 1)
        row.pool, row.index = self, len(self.rows)
        self.rows.append(row)

    def remove(self, index: int) -> None:
        """Take the row at `index` out; the last row takes its place."""
        last = self.rows.pop()
        end = len(self.rows)
        if index != end:
            self.keys[:, index] = self.keys[:, end]
            self.values[:, index] = self.values[:, end]
            self.rows[index] = last
            last.index = index


class Pools:
    """All running rows. A pool that falls empty gives its memory back."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._by_width: dict[int, Pool] = {}

    def __len__(self) -> int:
        return sum(len(pool.rows) for pool in self)

    def __iter__(self) -> Iterator[Pool]:
        return iter(self._by_width.values())

    def admit(self, row: Row) -> None:
        """Place a new row; there is room for its first token behind the prompt."""
        self._of_length(row.length + 1).add(row)

    def fit(self, row: Row) -> None:
        """Move a row that has grown too long for its pool."""
        pool, index = row.place
        if row.length > pool.width:
            wider = self._of_length(row.length)
            wider.add(row)
            wider.keys[:, row.index, :, : pool.width] = pool.keys[:, index]
            wider.values[:, row.index, :, : pool.width] = pool.values[:, index]
            self._leave(pool, index)

    def remove(self, row: Row) -> None:
        """Take a finished row out."""
        self._leave(*row.place)
        row.pool = None

    def _of_length(self, length: int) -> Pool:
        width = width_of(length)
        if width not in self._by_width:
            self._by_width[width] = Pool(self.shape, width)
        return self._by_width[width]

    def _leave(self, pool: Pool, index: int) -> None:
        pool.remove(index)
        if not pool.rows:
            del self._by_width[pool.width]


def width_of(length: int) -> int:
    """The padded width of a row of `length` tokens: steps of 64, and for long rows four steps an octave."""
    step = max(STEP, 1 << max(length.bit_length() - 3, 0))
    return -(-length // step) * step
