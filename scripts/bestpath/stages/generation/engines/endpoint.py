"""The engine that asks a server over the network: any that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engine import Answering, failed
from bestpath.stages.generation.engines.pace import Pace
from bestpath.stages.generation.engines.refusals import AskAgain, Refusal, judged
from bestpath.stages.generation.engines.responses import Answer, ResponseStore
from bestpath.stages.generation.engines.wire import Server, answer_of, body_of, completion_of

_log = logging.getLogger(__name__)
_CONNECT_S = 10.0
_LONGEST_PAUSE_S = 60.0
_BYTES_PER_TOKEN = 3  # really about four: so the limit a minute is kept with room to spare


@dataclass(frozen=True)
class Limits:
    """How fast, how patiently and at what price a server is asked; see `settings.Endpoint`."""

    responses: str
    slots: int
    key_variable: str | None
    requests_per_minute: float | None
    tokens_per_minute: float | None
    timeout_s: float
    deadline_s: float
    attempts: int
    first_pause_s: float
    prices: Mapping[str, Any] | None


def open_engine(settings: Mapping[str, Any], limits: Mapping[str, Any], job: str) -> EndpointEngine:
    """Open the engine on a server; `settings` as in `Server`, `limits` as in `Limits`."""
    return EndpointEngine(Server(**settings), Limits(**limits), job)


class EndpointEngine(Answering[Generate, Completion]):
    """Asks a server, `slots` requests at once, and keeps every answer in a response store.

    `job` names whose account pays. Requests run in an event loop on a thread of its own; the caller's thread only
    hands over and collects. Raises UserError when the key is not in the environment, and from `step` when the server
    refuses the key or does not know the model.
    """

    def __init__(self, server: Server, limits: Limits, job: str) -> None:
        super().__init__(limits.slots)
        self._server = server
        self._limits = limits
        self._key = key_from(limits.key_variable)
        self._store = ResponseStore(Path(limits.responses), job)
        self._pace = Pace(limits.requests_per_minute, limits.tokens_per_minute)
        self._client = openai.AsyncOpenAI(
            base_url=server.url,
            api_key=self._key or "none",  # without one, the client would take another server's from the environment
            max_retries=0,  # its own retries know neither the limits nor the account
            timeout=httpx2.Timeout(limits.timeout_s, connect=min(_CONNECT_S, limits.timeout_s), pool=None),
        )
        self._backoff = wait_exponential_jitter(limits.first_pause_s, _LONGEST_PAUSE_S, jitter=limits.first_pause_s)
        self._attempts = AsyncRetrying(
            retry=retry_if_exception_type(AskAgain),
            stop=stop_after_attempt(limits.attempts),
            wait=self._pause,
            reraise=True,
        ).wraps(self._attempt)
        self._tickets: dict[str, list[int]] = {}
        self._outcomes: queue.SimpleQueue[tuple[str, Completion | Exception]] = queue.SimpleQueue()
        self._told: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()

    def submit(self, ticket: int, request: Generate) -> None:
        """Take a request. Raises UserError when the server cannot do what it asks."""
        body = body_of(self._server, request)
        identity = [self._server.url, body, request.seed]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._requests[ticket] = request
        self._tickets.setdefault(digest, []).append(ticket)
        if len(self._tickets[digest]) == 1:  # the same request twice at once is asked once
            asyncio.run_coroutine_threadsafe(self._ask(digest, body, request.role), self._loop)

    def step(self, timeout: float = 0.0) -> list[tuple[int, Completion]]:
        """Wait for an answer at most `timeout` seconds, and return all that have come."""
        answered: list[tuple[int, Completion]] = []
        try:
            digest, outcome = self._outcomes.get(timeout=max(timeout, 0.0))
            while True:
                if isinstance(outcome, Exception):
                    raise outcome
                for ticket in self._tickets.pop(digest):
                    del self._requests[ticket]
                    answered.append((ticket, outcome))
                digest, outcome = self._outcomes.get_nowait()
        except queue.Empty:
            return answered

    def usage(self, role: str) -> dict[str, Any]:
        """What this job has asked for in a role and what that cost, in all its processes."""
        account = self._store.account(role)
        prices = self._limits.prices
        return {
            "url": self._server.url,
            "model": self._server.model,
            **account,
            "paid": prices and money(account["paid_tokens"], prices),
            "saved": prices and money(account["reused_tokens"], prices),
            "currency": prices and prices["currency"],
        }

    def close(self) -> None:
        """Give up what is under way and let go of the server and the store."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._store.close()

    async def _give_up(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _ask(self, digest: str, body: Mapping[str, Any], role: str) -> None:
        outcome: Completion | Exception
        try:
            outcome = completion_of(self._store.get(digest, role) or await self._fetch(digest, body, role))
        except (AskAgain, Refusal) as error:
            outcome = failed(error.reason)
        except Exception as error:
            outcome = error
        self._outcomes.put((digest, outcome))

    async def _fetch(self, digest: str, body: Mapping[str, Any], role: str) -> Answer:
        n_bytes = sum(len(message["content"].encode()) for message in body["messages"])
        tokens = n_bytes // _BYTES_PER_TOKEN + body[self._server.length_field]
        try:
            async with asyncio.timeout(self._limits.deadline_s) as deadline:
                answer = await self._attempts(digest, body, role, tokens, deadline)
        except TimeoutError:
            raise Refusal(f"engine_error: no answer within {self._limits.deadline_s:g} s") from None
        self._store.answered(digest, role, answer)
        return answer

    async def _attempt(
        self, digest: str, body: Mapping[str, Any], role: str, tokens: int, deadline: asyncio.Timeout
    ) -> Answer:
        delay = self._pace.turn(tokens)
        # waiting for our own limits is no fault of the server
        deadline.reschedule((deadline.when() or 0.0) + delay)
        await asyncio.sleep(delay)
        self._store.asked(digest, role)
        try:
            return answer_of(await self._client.chat.completions.create(**body))
        except openai.APIStatusError as error:
            self._store.refused(digest, role)
            raise judged(error, self._server.url, self._server.model, self._limits.key_variable, self._key) from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
                self._store.refused(digest, role)
            raise AskAgain(f"engine_error: {type(error.__cause__).__name__}") from None
        except (ValueError, openai.APIResponseValidationError):
            raise AskAgain("engine_error: the answer is no whole JSON") from None

    def _pause(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: as long as the server wishes, and longer every time."""
        error = state.outcome and state.outcome.exception()
        assert isinstance(error, AskAgain)
        if error.reason not in self._told:
            self._told.add(error.reason)
            _log.warning("%s; asking again (further ones of this kind are only counted)", error.reason)
        self._pace.hold(min(error.after_s, self._limits.deadline_s))
        return max(error.after_s, self._backoff(state))


def key_from(variable: str | None) -> str | None:
    """The key in an environment variable. Raises UserError when it is not set."""
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise UserError(
            f"the environment variable {variable} is not set; put the endpoint's key into it "
            "(models.<name>.endpoint.key_variable names it)"
        )
    return os.environ[variable]


def money(tokens: Mapping[str, int], prices: Mapping[str, Any]) -> float:
    """The price of prompt, cached and completion tokens, from prices for a million each."""
    cached_price = prices["prompt"] if prices["cached"] is None else prices["cached"]
    fresh = tokens["prompt_tokens"] - tokens["cached_tokens"]
    prompt = fresh * prices["prompt"] + tokens["cached_tokens"] * cached_price
    return float(round((prompt + tokens["completion_tokens"] * prices["completion"]) / 1e6, 6))
