"""What an endpoint's refusal means: ask again, let this request fail, or end the run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

import openai

from bestpath.core.errors import UserError
from bestpath.stages.generation.engine import PROMPT_TOO_LONG

_PASSING = {408, 409, 425, 429}
_TOO_LONG = re.compile(r"context[ _](length|window|size)|(prompt|input) is too long", re.IGNORECASE)


class Refusal(Exception):
    """This request fails, and would fail again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AskAgain(Exception):
    """This attempt failed, and the next may succeed; not before `after_s` seconds have passed."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


def judged(error: openai.APIStatusError, url: str, model: str, key_variable: str | None, key: str | None) -> Exception:
    """The exception that a refusal calls for; a UserError ends the run. None of them ever holds the key."""
    status = error.status_code
    if status in (401, 403):
        if key_variable is None:
            return UserError(
                f"the endpoint at {url} asks for a key (HTTP {status}); put it into an environment variable and name "
                "that in models.<name>.endpoint.key_variable"
            )
        return UserError(
            f"the endpoint at {url} refuses the key in the environment variable {key_variable} (HTTP {status}); "
            "set it to a key that is valid there"
        )
    if status == 404:
        return UserError(
            f"the endpoint at {url} does not know the model '{model}' (HTTP 404); correct "
            "models.<name>.endpoint.model, or the url, which ends before /chat/completions"
        )
    if status == 402 or error.code == "insufficient_quota":
        return UserError(f"the account at {url} has no credit left (HTTP {status}); top it up and start again")
    if status in _PASSING or status >= 500:
        return AskAgain(f"engine_error: HTTP {status}", retry_after(error.response.headers))
    said = str(error.body or error.message)
    if status == 413 or error.code == "context_length_exceeded" or (status in (400, 422) and _TOO_LONG.search(said)):
        return Refusal(PROMPT_TOO_LONG)
    if key:
        said = said.replace(key, "(the key)")
    return Refusal(f"engine_error: HTTP {status}: {' '.join(said.split())[:300]}")


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that a server asks to be left alone: Retry-After as seconds or as a date; 0 if it does not say."""
    value = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(value))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0
