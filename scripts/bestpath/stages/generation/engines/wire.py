"""Between requests and OpenAI's chat completions: what is sent to a server, and what its answer says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from openai.types.chat import ChatCompletion

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engine import failed
from bestpath.stages.generation.engines.refusals import AskAgain
from bestpath.stages.generation.engines.responses import Answer


@dataclass(frozen=True)
class Server:
    """A model at a server, and how it is asked: all that answers depend on besides the requests."""

    url: str
    model: str
    continues_prefill: bool
    takes_top_k: bool
    takes_seed: bool
    length_field: str
    extra: Mapping[str, Any]


def body_of(server: Server, request: Generate) -> dict[str, Any]:
    """A request as the client wants it. Raises UserError when the server cannot do what it asks."""
    sampling = request.sampling
    messages = [asdict(message) for message in request.messages]
    extra = dict(server.extra)
    if request.prefill:
        if not server.continues_prefill:
            raise UserError(
                "a request begins the model's answer, which this endpoint cannot continue; set "
                "models.<name>.endpoint.continues_prefill if it can, or ask for no prefill "
                "(continuation: prompt)"
            )
        messages.append({"role": "assistant", "content": request.prefill})
        extra |= {"continue_final_message": True, "add_generation_prompt": False}
    if sampling.top_k:
        if not server.takes_top_k:
            raise UserError(
                f"a request sets top_k to {sampling.top_k}, which not every endpoint takes; set "
                "models.<name>.endpoint.takes_top_k if this one does, or top_k to 0"
            )
        extra["top_k"] = sampling.top_k
    return {
        "model": server.model,
        "messages": messages,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        server.length_field: sampling.max_tokens,
        **({"seed": request.seed} if server.takes_seed else {}),
        "extra_body": extra,
    }


def answer_of(response: ChatCompletion) -> Answer:
    """What a response says. Raises AskAgain when it is no completion, UserError when it counts no tokens."""
    try:
        choice, usage = response.choices[0], response.usage
        text, finish = choice.message.content or "", choice.finish_reason
        counts = usage and (usage.prompt_tokens, usage.completion_tokens)
        cached = usage and usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens
        version = " ".join(filter(None, (response.model, response.system_fingerprint)))
    except (AttributeError, LookupError, TypeError):  # the client checks no types
        raise AskAgain("engine_error: the answer is no chat completion") from None
    if not counts or None in counts:
        raise UserError("the endpoint does not count tokens, which every method needs; use a server that reports usage")
    return Answer(str(text), str(finish), counts[0], cached or 0, counts[1], version)


def completion_of(answer: Answer) -> Completion:
    """The answer as a search receives it."""
    if answer.finish in ("stop", "length"):
        finish: Any = answer.finish
        return Completion(answer.text, answer.completion_tokens, answer.prompt_tokens, finish)
    return failed(f"engine_error: the endpoint ended a completion by {answer.finish}", answer.prompt_tokens)
