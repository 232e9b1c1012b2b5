"""Scores by any causal model or reward model of transformers, over texts packed into one forward pass."""

from __future__ import annotations

import gc
import math
from collections import deque
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bestpath.core.search import Measure, Sampling
from bestpath.stages.generation.engines.attention import Pass
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.loading import Loaded, load, logits_at
from bestpath.stages.generation.engines.local import Options
from bestpath.stages.generation.engines.pools import Pools, Row
from bestpath.stages.generation.engines.reward_check import check_scores
from bestpath.stages.generation.engines.scoring import Rendering, ScoringEngine, Text

_PASS_TOKENS = 2048  # of one pass, unless a single text is longer
_CHUNK = 256  # tokens whose log-probabilities over the vocabulary are in memory at once
_MULTIPLE = 32  # see `attention`


def open_scorer(folder: Path, of: Measure, **settings: Any) -> ScoringEngine:
    """Scores in this process; settings as in `Options`.

    On a CPU in float32 with one thread a score depends on its request alone, to the bit. With more threads, in bfloat16
    or on a GPU, its last digits vary with the batch. Raises UserError for an unusable folder and for a reward model
    that fails its trial.
    """
    options = Options(**settings)
    loaded = load(folder, options, reward=of == "reward")
    padding = loaded.model.config.get_text_config().pad_token_id
    rendering = Rendering(Chat(loaded.tokenizer), of, loaded.ends, padding)
    scorer = PackedScorer(loaded, of)
    if of == "reward":
        check_scores(scorer, rendering, folder)
    return ScoringEngine(of, rendering, scorer, options.slots)


class PackedScorer:
    """Texts one after another in a single sequence, first come first served; attention as in decoding (`attention`)."""

    def __init__(self, loaded: Loaded, of: Measure) -> None:
        self._loaded = loaded
        self._of = of
        self._waiting: deque[tuple[str, Text]] = deque()

    @property
    def longest(self) -> int:
        """The model's context."""
        return self._loaded.context

    def add(self, name: str, text: Text) -> None:
        """Let a text wait for a pass."""
        self._waiting.append((name, text))

    @torch.inference_mode()
    def step(self) -> list[tuple[str, float]]:
        """One forward pass."""
        chosen = self._choose()
        pools = Pools(self._loaded.shape)
        for i, (_, text) in enumerate(chosen):
            pools.admit(Row(i, list(text.ids), Sampling(), seed=0, limit=0))
        batch = Pass(pools)
        names, texts = zip(*(chosen[row.ticket] for row in batch.rows), strict=True)
        last = batch.last[: len(texts)].tolist()
        scores = self._rewards(batch) if self._of == "reward" else self._likelihoods(batch, texts, last)
        return list(zip(names, scores, strict=False))  # padding has no name

    def give_up(self) -> None:
        """Forget all texts."""
        self._waiting.clear()

    def close(self) -> None:
        """Free the model's memory."""
        del self._loaded
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _choose(self) -> list[tuple[str, Text]]:
        chosen = [self._waiting.popleft()]
        room = _PASS_TOKENS - len(chosen[0][1].ids)
        while self._waiting and len(self._waiting[0][1].ids) <= room:
            chosen.append(self._waiting.popleft())
            room -= len(chosen[-1][1].ids)
        return chosen

    def _rewards(self, batch: Pass) -> list[float]:
        return self._logits(batch, batch.last)[:, 0].tolist()

    def _likelihoods(self, batch: Pass, texts: tuple[Text, ...], last: list[int]) -> list[float]:
        """The summed log-probabilities of each text; the token at a place is predicted at the place before."""
        targets = [token for text in texts for token in text.ids[text.start :]]
        lengths = [len(text.ids) - text.start for text in texts]
        places = [place for length, end in zip(lengths, last, strict=True) for place in range(end - length, end)]
        padded = torch.tensor(places + [0] * (-len(places) % _MULTIPLE), device=batch.tokens.device)
        logits = self._logits(batch, padded)[: len(places)]
        wanted = torch.tensor(targets, device=logits.device)[:, None]
        parts = zip(logits.split(_CHUNK), wanted.split(_CHUNK), strict=True)
        logs = torch.cat([torch.log_softmax(part.float(), -1).gather(1, tokens) for part, tokens in parts])
        return [math.fsum(turn.tolist()) for turn in logs[:, 0].split(lengths)]

    def _logits(self, batch: Pass, places: Tensor) -> Tensor:
        return logits_at(
            self._loaded.model, places, input_ids=batch.tokens, position_ids=batch.positions, attending=batch
        )
