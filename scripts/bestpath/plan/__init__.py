"""What a configuration asks for, whatever its method: which models are evaluated, how, and what they are called.

What a method trains is in the module of its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from bestpath.plan import gsi, recut
from bestpath.settings import Endpoint, Settings


class Method(Protocol):
    """What the module of a method offers."""

    def variants(self, settings: Settings) -> list[str]:
        """The variants to run."""
        ...

    def models(self, settings: Settings, *, merges_only: bool = False) -> Iterator[str]:
        """The models that are trained or merged."""
        ...

    def system_of(self, model: str) -> dict[str, Any]:
        """What a model is called."""
        ...


METHODS: dict[str, Method] = {"recut": recut, "gsi": gsi}

PLAIN_PROMPT = {"recut": "neutral", "gsi": "plain"}
"""The prompt that all systems of a method share, under which everything trained is evaluated."""


def variants(settings: Settings) -> list[str]:
    """The variants to run, in the order of the configuration."""
    return METHODS[settings.method].variants(settings)


def models(settings: Settings, *, merges_only: bool = False) -> Iterator[str]:
    """Every model that the configuration trains or merges, by its name under models/, each once."""
    return METHODS[settings.method].models(settings, merges_only=merges_only)


def endpoints(settings: Settings) -> dict[str, Endpoint]:
    """The endpoints that a run may ask, by the setting that names each."""
    found = {}
    if settings.generation.engine == "endpoint" and settings.generation.endpoint is not None:
        found["generation.endpoint"] = settings.generation.endpoint
    if settings.method == "gsi":
        for name in variants(settings):
            guidance = settings.gsi.variant(name).guidance
            if guidance.strategy == "interactive" and guidance.teacher.endpoint is not None:
                found["gsi.guidance.teacher.endpoint"] = guidance.teacher.endpoint
    return found


def prompt_folder(settings: Settings) -> str:
    """The folder of the method's prompts."""
    programs = settings.method == "gsi" and settings.gsi.sample.mode == "pot"
    return f"config/prompts/{settings.method}{'-pot' if programs else ''}"


def decodings(settings: Settings, set_name: str) -> dict[str, dict[str, Any]]:
    """The decodings of an evaluation set, by name; choices on the dev split are made on greedy answers."""
    if set_name == "dev":
        return {"greedy": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "samples": 1}}
    chosen = {name: decoding.model_dump() for name, decoding in settings.evaluation.decodings.items()}
    samples = settings.evaluation.sets[set_name].samples
    for decoding in chosen.values():
        if samples and decoding["temperature"] > 0:
            decoding["samples"] = samples
    return chosen


def system_of(model: str, prompt: str) -> dict[str, Any]:
    """What a model under a prompt is called in tables and reports, with its kind, variant and seed."""
    if model == "base":
        name = "base" if prompt in PLAIN_PROMPT.values() else f"base, {prompt.replace('_', ' ')} prompt"
        return {"system": name, "kind": "base" if name == "base" else "prompt", "variant": "main", "seed": 0}
    return METHODS[model.split("/")[0]].system_of(model)
