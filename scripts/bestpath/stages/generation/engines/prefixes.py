"""Keys and values of prompts seen lately, so that no prompt is computed from a beginning that is already known.

The rounds of a search repeat its problem and its earlier steps, and samples of one problem repeat the whole prompt. A
prompt is remembered in blocks of `BLOCK` tokens, each named by all tokens up to its end. Attention treats prompts in
the same blocks, so what is restored has the very bits that computing it again would give.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from torch import Tensor

from bestpath.stages.generation.engines.pools import Row

BLOCK = 32


def block_names(prompt: Sequence[int]) -> list[bytes]:
    """A name for each whole block of a prompt that ends before its last token (which must always be computed)."""
    names: list[bytes] = []
    before = b""
    for start in range(0, len(prompt) - BLOCK, BLOCK):
        before = blake2b(before + array("q", prompt[start : start + BLOCK]).tobytes(), digest_size=16).digest()
        names.append(before)
    return names


class Prefixes:
    """Remembers up to `capacity` blocks; those not needed for longest are forgotten first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._blocks: OrderedDict[bytes, tuple[Tensor, Tensor]] = OrderedDict()

    def known(self, names: Sequence[bytes]) -> int:
        """How many of a prompt's first blocks are remembered."""
        return next((i for i, name in enumerate(names) if name not in self._blocks), len(names))

    def restore(self, row: Row, blocks: int) -> None:
        """Fill in the keys and values of a new row's first blocks."""
        pool, index = row.place
        for i, name in enumerate(row.blocks[:blocks]):
            self._blocks.move_to_end(name)
            place = slice(i * BLOCK, (i + 1) * BLOCK)
            pool.keys[:, index, :, place], pool.values[:, index, :, place] = self._blocks[name]
        row.n_known = blocks * BLOCK

    def remember(self, row: Row) -> None:
        """Take over the blocks of a row whose prompt has just been computed."""
        pool, index = row.place
        for i, name in enumerate(row.blocks):
            if name not in self._blocks:
                place = slice(i * BLOCK, (i + 1) * BLOCK)
                self._blocks[name] = pool.keys[:, index, :, place].clone(), pool.values[:, index, :, place].clone()
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)
