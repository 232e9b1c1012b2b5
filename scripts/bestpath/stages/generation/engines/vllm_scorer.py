"""Scores by vLLM: rewards by its pooling runner, likelihoods by the log-probabilities of prompts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bestpath.core.models import check_folder, check_reward_model
from bestpath.core.search import Measure
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.scoring import Rendering, ScoringEngine, Text
from bestpath.stages.generation.engines.vllm import VllmOptions, chat_of, import_vllm, start


def open_scorer(folder: Path, of: Measure, **settings: Any) -> ScoringEngine:
    """Scores in this process; settings as in `VllmOptions`.

    Scores agree with those of the engine `transformers` up to rounding. The trial of a reward model loads it once more,
    on the CPU, to compare the two. Raises UserError for an unusable folder and for a reward model that fails its trial.
    """
    options = VllmOptions(**settings)
    (check_reward_model if of == "reward" else check_folder)(folder)
    vllm = import_vllm(options)
    if of == "likelihood":
        chat, ends = chat_of(folder, options)
        engine = start(vllm, folder, options)
        return ScoringEngine(of, Rendering(chat, of, ends), VllmScorer(engine, of), options.slots)
    from transformers import AutoConfig, AutoTokenizer

    from bestpath.stages.generation.engines.reward_check import check_against_transformers, check_scores

    trust = options.trust_remote_code
    chat = Chat(AutoTokenizer.from_pretrained(folder, trust_remote_code=trust))
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust).get_text_config()
    rendering = Rendering(chat, of, padding=config.pad_token_id)
    scorer = VllmScorer(start(vllm, folder, options, runner="pooling", convert="classify"), of)
    rewards = check_scores(scorer, rendering, folder)
    check_against_transformers(rewards, folder, options.dtype, trust)
    return ScoringEngine(of, rendering, scorer, options.slots)


class VllmScorer:
    """Texts on a running vLLM, which batches them as it likes."""

    def __init__(self, engine: Any, of: Measure) -> None:
        self._engine = engine
        self._of = of
        self._texts: dict[str, Text] = {}

    @property
    def longest(self) -> int:
        """The model's context; for a likelihood without the one token that vLLM insists on drawing."""
        context: int = self._engine.model_config.max_model_len
        return context - (self._of == "likelihood")

    def add(self, name: str, text: Text) -> None:
        """Hand a text to vLLM."""
        from vllm import PoolingParams, SamplingParams
        from vllm.sampling_params import RequestOutputKind

        self._texts[name] = text
        parameters = (
            PoolingParams(task="classify", use_activation=False)
            if self._of == "reward"
            else SamplingParams(
                max_tokens=1, prompt_logprobs=0, detokenize=False, output_kind=RequestOutputKind.FINAL_ONLY
            )
        )
        self._engine.add_request(name, {"prompt_token_ids": list(text.ids)}, parameters)

    def step(self) -> list[tuple[str, float]]:
        """One step of vLLM."""
        outputs = [output for output in self._engine.step() if output.finished]
        return [(output.request_id, self._score(output)) for output in outputs]

    def give_up(self) -> None:
        """Forget all texts."""
        self._engine.abort_request(list(self._texts))
        self._texts.clear()

    def close(self) -> None:
        """End vLLM and its processes."""
        self._engine.engine_core.shutdown()
        del self._engine

    def _score(self, output: Any) -> float:
        text = self._texts.pop(output.request_id)
        if self._of == "reward":
            return float(output.outputs.data.item())
        logs = zip(text.ids, output.prompt_logprobs, strict=True)
        return math.fsum(found[token].logprob for token, found in list(logs)[text.start :])
