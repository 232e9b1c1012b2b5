"""How systems answer: a search, by the name that a system gives (`core.systems`).

An answerer takes a problem, the system's prompts by name, the decodings (each a way to sample, and how often), a seed
and the system's options, and returns rows of `SAMPLES`. `plain` asks once; any other is `module:function`, whose module
says in PROMPT_FIELDS which fields each of its prompts may use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from bestpath.core import prompts
from bestpath.core.problems import messages_of
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Sampling, Search
from bestpath.core.tables import Row

PLAIN = "plain"
PLAIN_FIELDS = ("problem", "previous", "step")
"""Fields of the one prompt of `plain`: the question, no steps before, and the number of the first step."""

Decodings = Mapping[str, tuple[Sampling, int]]
Answerer = Callable[[Row, Mapping[str, Prompt], Decodings, int, Mapping[str, Any]], Search[list[Row]]]


def answerer_of(name: str) -> Answerer:
    """The search that answers, by its name."""
    if name == PLAIN:
        return answer
    module, _, function = name.partition(":")
    found: Answerer = getattr(import_module(module), function)
    return found


def modules_of(name: str) -> list[str]:
    """The modules that an answerer is loaded from, for `code_of`."""
    return [] if name == PLAIN else [name.partition(":")[0]]


def load_prompts(name: str, paths: Mapping[str, Path]) -> dict[str, Prompt]:
    """The prompts of an answerer, by name. Raises UserError as `prompts.load`."""
    if name == PLAIN:
        return {prompt: prompts.load(path, PLAIN_FIELDS) for prompt, path in paths.items()}
    (module,) = modules_of(name)
    fields = import_module(module).PROMPT_FIELDS
    return {prompt: prompts.load(path, fields[prompt]) for prompt, path in paths.items()}


def answer(
    problem: Row, prompts: Mapping[str, Prompt], decodings: Decodings, seed: int, options: Mapping[str, Any]
) -> Search[list[Row]]:
    """Ask one problem once for every sample of every decoding: under the system's one prompt, or by the problem's own
    chat if it brings one.

    Seeds depend on the problem and the decoding, not on the model: two systems that agree so far draw alike.
    """
    (prompt,) = prompts.values()
    problem_id = problem["problem_id"]
    values = {"problem": problem["question"], "previous": "", "step": 1}
    messages = messages_of(problem) or prompt.messages(**{name: values[name] for name in prompt.fields})
    asked = [
        (name, index, Generate("actor", messages, sampling, seed_of(seed, problem_id, "evaluate", name, index)))
        for name, (sampling, samples) in decodings.items()
        for index in range(samples)
    ]
    completions = cast(list[Completion], (yield [request for _, _, request in asked]))
    return [
        {
            "problem_id": problem_id,
            "sample_id": f"{problem_id}.{name}.{index}",
            "decoding": name,
            "role": request.role,
            "prompt_sha": prompt.sha,
            "seed": request.seed,
            "text": completion.text,
            "output": completion.text,
            "n_tokens": completion.n_tokens,
            "n_prompt_tokens": completion.n_prompt_tokens,
            "calls": json.dumps({request.role: {"calls": 1, "tokens": completion.n_tokens}}),
            "finish_reason": completion.finish,
            "trace": None,
        }
        for (name, index, request), completion in zip(asked, completions, strict=True)
    ]
