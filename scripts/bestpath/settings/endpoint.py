"""The settings of an endpoint: a server that plays a model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bestpath.settings.base import Count, Positive, Section


class Prices(Section):
    """What an endpoint charges for a million tokens."""

    prompt: float = Field(ge=0.0)
    cached: float | None = Field(None, ge=0.0, description="prompt tokens that its cache held; default: as others")
    completion: float = Field(ge=0.0)
    currency: str = "USD"


_OF_ANSWERS = {"url", "model", "continues_prefill", "takes_top_k", "takes_seed", "length_field", "extra"}


class Endpoint(Section):
    """An OpenAI-compatible server that plays a model; see docs/endpoints.md."""

    url: str = Field(description="its base address, for example https://api.openai.com/v1")
    model: str = Field(description="the model's name there; the base's must be the model of `models.base.source`")
    continues_prefill: bool = Field(
        False, description="the server goes on from a begun answer (vLLM: `continue_final_message`)"
    )
    takes_top_k: bool = Field(False, description="the server takes `top_k` (vLLM, SGLang, llama.cpp)")
    takes_seed: bool = Field(True, description="the server takes a seed of 63 bits")
    length_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="what the server calls the longest completion"
    )
    extra: dict[str, Any] = Field({}, description="further fields of every request, for example chat_template_kwargs")
    key_variable: str | None = Field(None, description="the environment variable that holds the key; default: no key")
    requests_per_minute: Positive | None = Field(None, description="default: no limit")
    tokens_per_minute: Positive | None = Field(None, description="prompts and longest completions; default: no limit")
    timeout_s: Positive = Field(300.0, description="longest silence of the server before it is asked again")
    deadline_s: Positive = Field(1800.0, description="longest time for one request with all its attempts")
    attempts: Count = Field(8, description="most attempts at one request")
    first_pause_s: Positive = Field(1.0, description="pause before the second attempt; it doubles from then on")
    prices: Prices | None = Field(None, description="default: money is not counted")
    responses: str = Field(
        "results/.work/responses", description="folder of the answers received; `make clean` removes the default one"
    )

    def server(self) -> dict[str, Any]:
        """What the answers depend on."""
        return self.model_dump(include=_OF_ANSWERS)

    def limits(self) -> dict[str, Any]:
        """How fast, how patiently and at what price it is asked: no answer depends on it."""
        return self.model_dump(exclude=_OF_ANSWERS)
