"""A server that speaks OpenAI's chat completions on loopback, soundly or, if told so, badly."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bestpath.core.search import Completion, Generate, Message, Sampling
from bestpath.settings.endpoint import Endpoint
from bestpath.stages.generation.engines.transformers import TransformersEngine

Body = dict[str, Any]


def endpoint(url: str, responses: Path | str, slots: int = 4, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An endpoint as rules pass it, by the defaults of its settings but for what is given: the engine, and how it is
    asked.
    """
    entry = Endpoint(url=url, responses=str(responses), **{"model": "tiny", **given})
    return {"engine": "endpoint", **entry.server()}, {"slots": slots, **entry.limits()}


FAULTS = ("429", "500", "cut", "short", "reset", "stall")
"""`cut` is JSON that breaks off, `short` a body shorter than its header says."""


class ChatServer(ThreadingHTTPServer):
    """Answers by a function of the request's body. `served` holds every request that got a whole 200, in order.

    `fault` gets the body and how often it has come before, and names one of FAULTS, gives the bytes to answer, or None
    for none. `key` is the only one accepted; every error message repeats the key that was sent.
    """

    daemon_threads = True

    def __init__(
        self,
        answer: Callable[[Body], Completion],
        fault: Callable[[Body, int], str | bytes | None] = lambda body, n: None,
        key: str | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.fault = fault
        self.key = key
        self.received: list[Body] = []
        self.served: list[Body] = []
        self.at_work = self.most_at_work = 0
        self.faults: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def come_to_rest(self) -> None:
        """Wait until nothing that was received is being answered any more, whether anybody listens or not."""
        while self.at_work:
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        if self._allowed():
            self._send(200, {"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            n = server.received.count(body)
            server.received.append(body)
            fault = server.fault(body, n)
            server.faults[str(fault or "none")] += 1
        if not self._allowed():
            return
        if self.path != "/v1/chat/completions" or body["model"] != "tiny":
            self._send(404, self._error(f"no model {body['model']}"))
        elif fault in ("400", "429", "500"):
            self._send(int(fault), self._error("not now"), {"Retry-After": "0.05"} if fault == "429" else {})
        elif isinstance(fault, bytes):
            self._send(200, fault)
        elif fault == "stall":
            server.closing.wait(30)
            self.close_connection = True
        else:
            self._complete(body, fault)

    def _complete(self, body: Body, fault: str | bytes | None) -> None:
        server = self.server
        with server.lock:
            server.at_work += 1
            server.most_at_work = max(server.most_at_work, server.at_work)
        try:
            self._answer(body, fault, server.answer(body))
        finally:
            with server.lock:
                server.at_work -= 1

    def _answer(self, body: Body, fault: str | bytes | None, completion: Completion) -> None:
        server = self.server
        if completion.error == "prompt_too_long":
            self._send(400, self._error("This model's maximum context length is 256 tokens. Shorten the messages."))
            return
        usage = {
            "prompt_tokens": completion.n_prompt_tokens,
            "completion_tokens": completion.n_tokens,
            "total_tokens": completion.n_prompt_tokens + completion.n_tokens,
            "prompt_tokens_details": {"cached_tokens": completion.n_prompt_tokens // 2},
        }
        message = {"role": "assistant", "content": completion.text}
        choice = {"index": 0, "finish_reason": completion.error or completion.finish, "message": message}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "tiny-0117", "usage": usage}
        content = {**whole, "choices": [choice]}
        if fault == "cut":
            self._send(200, json.dumps(content).encode()[:-30])
        elif fault == "short":
            self._send(200, json.dumps(content).encode(), {"Content-Length": "9999"})
            self.close_connection = True
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            with server.lock:
                server.served.append(body)
            self._send(200, content)

    def _allowed(self) -> bool:
        given = self.headers["Authorization"].removeprefix("Bearer ") if "Authorization" in self.headers else None
        if self.server.key in (None, given):
            return True
        self._send(401, self._error("Incorrect API key"))
        return False

    def _error(self, message: str) -> Body:
        return {"error": {"message": f"{message} (you sent {self.headers['Authorization']})", "code": None}}

    def _send(self, status: int, content: Body | bytes, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def sometimes(share: float) -> Callable[[Body, int], str | None]:
    """A share of all attempts fails, each in a way of its own; the same attempts in every run."""

    def fault(body: Body, n: int) -> str | None:
        draw = random.Random(json.dumps([body, n], sort_keys=True))
        return draw.choice(FAULTS) if draw.random() < share else None

    return fault


def by_model(folder: Path) -> Callable[[Body], Completion]:
    """Answers of a model folder under the engine of this project, one request at a time."""
    engine = TransformersEngine(folder)
    lock = threading.Lock()

    def answer(body: Body) -> Completion:
        messages = [Message(**message) for message in body["messages"]]
        prefill = messages.pop().content if body.get("continue_final_message") else ""
        sampling = Sampling(body["temperature"], body["top_p"], body.get("top_k", 0), body["max_tokens"])
        with lock:
            engine.submit(0, Generate("actor", tuple(messages), sampling, body["seed"], prefill))
            while not (answered := engine.step()):
                pass
        return answered[0][1]

    return answer


def by_words(body: Body) -> Completion:
    """Answers at once with words that the whole request decides."""
    draw = random.Random(json.dumps(body, sort_keys=True))
    words = [draw.choice("so we add two and get seven".split()) for _ in range(draw.randint(1, 9))]
    return Completion(" ".join(words), len(words) + 1, sum(len(m["content"]) for m in body["messages"]), "stop")
