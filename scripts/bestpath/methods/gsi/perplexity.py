"""How probable the base finds what a model is trained on (docs/gsi.md, 10)."""

from __future__ import annotations

import math
from typing import cast

from bestpath.core.search import Message, Score, Scored, Search
from bestpath.core.tables import Row


def perplexity(row: Row) -> Search[list[Row]]:
    """The perplexity of one training row's completion: exp of the mean negative log-likelihood of its tokens."""
    turns = tuple(Message(turn["role"], turn["content"]) for turn in [*row["prompt"], *row["completion"]])
    scored = cast(Scored, (yield [Score("base", turns, "likelihood")])[0])
    if scored.value is None:
        return []
    nll = -scored.value
    found = {"nll": nll, "n_tokens": scored.n_tokens, "perplexity": math.exp(nll / scored.n_tokens)}
    return [{"row": row["row"], "problem_id": row["problem_id"], **found}]
