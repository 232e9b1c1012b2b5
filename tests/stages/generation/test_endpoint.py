"""The endpoint engine against a server on loopback: our own model behind HTTP, and one that fails in every way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bestpath.answers.grading import Grader
from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Message, Sampling
from bestpath.stages.generation.driver import Players, run
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.engines.endpoint import EndpointEngine, money
from bestpath.stages.generation.engines.transformers import TransformersEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress
from tests.stages.generation.endpoint_server import Body, ChatServer, by_model, by_words, endpoint, sometimes
from tests.stages.generation.interrupted_run import PROBLEMS, search
from tests.stages.generation.test_transformers_engine import answers, ask
from tests.stages.generation.tiny import build_folder

KEY = "sk-never-to-be-seen-0117"
QUICK = {"first_pause_s": 0.01, "attempts": 20, "slots": 8}
PRICES = {"prompt": 1.0, "cached": 0.5, "completion": 10.0, "currency": "EUR"}
ABLE = {"continues_prefill": True, "takes_top_k": True}


@contextmanager
def opened(
    server: ChatServer | str, folder: Path, job: str = "job", limits: dict[str, Any] | None = None, **settings: Any
):
    """An engine that asks the server, or the one at an address, and keeps its answers in the folder."""
    url = server if isinstance(server, str) else server.url
    answers_by, asked = endpoint(url, folder, **{**QUICK, **settings, **(limits or {})})
    engine = open_engine(answers_by.pop("engine"), "-", limits=asked, job=job, **answers_by)
    assert isinstance(engine, EndpointEngine)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def words() -> Iterator[ChatServer]:
    with ChatServer(by_words) as server:
        yield server


def test_answers_are_those_of_the_model_behind_the_server(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "model")
    requests = [
        ask(f"how many pears are {i}?", i, prefill, temperature=temperature, top_k=top_k, max_tokens=20)
        for i in range(3)
        for prefill in ("", "there are")
        for temperature, top_k in ((0.0, 0), (0.9, 0), (0.9, 7))
    ]
    requests.append(ask("x" * 400))
    with ChatServer(by_model(folder)) as server, opened(server, tmp_path / "kept", **ABLE) as engine:
        found = answers(engine, requests)
    assert found == [*answers(TransformersEngine(folder), requests[:-1]), found[-1]]
    assert (found[-1].finish, found[-1].error) == ("error", "prompt_too_long")
    assert {completion.finish for completion in found[:-1]} == {"stop", "length"}


def run_all(engine: EndpointEngine, journal: Path) -> dict[str, Any]:
    with Grader(1) as grader, Journal(journal, "key") as kept:
        searches = {problem: partial(search, problem) for problem in PROBLEMS}
        return run(searches, Players({"actor": engine}, grader=grader), kept, Progress("test"))


def test_a_faulty_server_loses_nothing_and_is_paid_once(tmp_path: Path) -> None:
    with ChatServer(by_words) as server, opened(server, tmp_path / "sound") as engine:
        expected = run_all(engine, tmp_path / "sound.journal")
        n_requests = len(server.received)
    limits = {"timeout_s": 4.0, "prices": PRICES}
    with ChatServer(by_words, sometimes(0.2)) as server:
        with opened(server, tmp_path / "kept", limits=limits) as engine:
            assert run_all(engine, tmp_path / "journal") == expected
            usage = engine.usage("actor")
        faults = server.faults
        assert set(faults) == {"none", "429", "500", "cut", "short", "reset", "stall"}
        assert len(server.served) == n_requests == len({json.dumps(body) for body in server.served})
        assert usage["answered"] == n_requests
        assert usage["asked"] == len(server.received)
        assert usage["refused"] == faults["429"] + faults["500"]
        assert usage["lost"] == faults["cut"] + faults["short"] + faults["reset"] + faults["stall"]
        answered = [by_words(body) for body in server.served]
        tokens = {
            "prompt_tokens": sum(a.n_prompt_tokens for a in answered),
            "cached_tokens": sum(a.n_prompt_tokens // 2 for a in answered),
            "completion_tokens": sum(a.n_tokens for a in answered),
        }
        assert usage["paid_tokens"] == tokens
        assert usage["paid"] == money(tokens, PRICES) and usage["currency"] == "EUR"
        assert usage["model_versions"] == {"tiny-0117": n_requests}
        with opened(server, tmp_path / "kept", limits=limits) as engine:  # the journal lost, the answers kept
            assert run_all(engine, tmp_path / "another.journal") == expected
            assert engine.usage("actor") == usage
        assert len(server.served) == n_requests


def test_money_is_counted_by_a_million_tokens() -> None:
    tokens = {"prompt_tokens": 3_000_000, "cached_tokens": 1_000_000, "completion_tokens": 500_000}
    assert money(tokens, PRICES) == 2 * 1.0 + 1 * 0.5 + 0.5 * 10
    assert money(tokens, {**PRICES, "cached": None}) == 3 * 1.0 + 0.5 * 10


def test_an_answer_is_paid_by_one_job_and_reused_by_others(words: ChatServer, tmp_path: Path) -> None:
    requests = [ask(f"pears {i}", i) for i in range(5)]
    with opened(words, tmp_path, "first") as engine:
        first = answers(engine, requests)
    for _ in range(2):  # the second time in a new process
        with opened(words, tmp_path, "second", {"prices": PRICES}) as engine:
            assert answers(engine, requests) == first
            usage = engine.usage("actor")
        assert (usage["asked"], usage["reused"], usage["paid"]) == (0, 5, 0.0)
        assert usage["saved"] > 0 and usage["model_versions"] == {"tiny-0117": 5}
    assert len(words.served) == 5
    with opened(words, tmp_path, "second") as engine:
        answers(engine, [ask("pears 0", 7), ask("pears 0", 0, max_tokens=9), ask("pears 0", 0, top_p=0.5)])
    with opened(words, tmp_path, "second", extra={"user": "x"}) as engine:
        answers(engine, requests[:1])
    assert len(words.served) == 9  # whatever differs is another request


def test_torn_lines_are_passed_over(words: ChatServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(words, tmp_path) as engine:
        first = answers(engine, [ask(f"pears {i}", i) for i in range(3)])
    (file,) = tmp_path.iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1][:40]
    file.write_bytes(b"".join(lines))
    with opened(words, tmp_path) as engine:
        assert answers(engine, [ask(f"pears {i}", i) for i in range(3)]) == first
        assert engine.usage("actor")["lost"] == 1
    assert "1 unfinished or damaged" in caplog.text
    assert len(words.served) == 4


PAID = (
    b'{"crc":"9ed77ae2","entry":{"event": "asked", '
    b'"request": "28fae885871c4a0367c93e8099f665dd4b077bb873fc2941dcabf9bee6e18f9f"}}\n'
    b'{"crc":"16b02cae","entry":{"event": "answered", '
    b'"request": "28fae885871c4a0367c93e8099f665dd4b077bb873fc2941dcabf9bee6e18f9f", '
    b'"text": "3 \\u00c4pfel are seven.", "finish": "stop", '
    b'"prompt_tokens": 31, "cached_tokens": 16, "completion_tokens": 6, "version": "large-0117"}}\n'
)
"""A file that the code of commit d4c7703 wrote, before modules moved and before roles had accounts."""


def test_an_answer_that_was_paid_for_before_roles_had_accounts_is_found(tmp_path: Path) -> None:
    """A request's name depends on the address, on what is sent and on the seed alone: on no name of our code."""
    (tmp_path / "1f0c9e5b7a26d384-99f5c6da5633.jsonl").write_bytes(PAID)
    messages = (Message("system", "be brief"), Message("user", "how many äpfel are 3 and 4?"))
    request = Generate("actor", messages, Sampling(0.7, 0.9, 7, 12), 5, "there")
    with opened(
        "http://127.0.0.1:18431/v1", tmp_path, model="large", extra={"user": "x"}, attempts=1, **ABLE
    ) as engine:
        assert answers(engine, [request]) == [Completion("3 Äpfel are seven.", 6, 31, "stop")]
        assert (engine.usage("actor")["asked"], engine.usage("actor")["reused"]) == (0, 1)


def test_the_same_request_twice_at_once_is_asked_once(words: ChatServer, tmp_path: Path) -> None:
    with opened(words, tmp_path) as engine:
        first, second = answers(engine, [ask("pears"), ask("pears")])
    assert first == second
    assert len(words.received) == 1


def test_what_the_server_does_not_take_is_not_sent(words: ChatServer, tmp_path: Path) -> None:
    with opened(words, tmp_path, takes_seed=False, length_field="max_completion_tokens") as engine:
        answers(engine, [ask("pears", 1), ask("pears", 2)])
    assert len(words.received) == 2
    assert not {"seed", "max_tokens", "top_k", "extra_body"} & words.received[0].keys()
    assert words.received[0]["max_completion_tokens"] == 256


@pytest.mark.parametrize(
    ("request_", "said"),
    [(ask("pears", prefill="there"), "continues_prefill"), (ask("pears", top_k=5), "takes_top_k")],
)
def test_what_the_server_cannot_do_is_told_before_it_is_asked(
    words: ChatServer, tmp_path: Path, request_: Generate, said: str
) -> None:
    with opened(words, tmp_path) as engine, pytest.raises(UserError, match=said):
        engine.submit(1, request_)
    assert words.received == []


def finish(engine: EndpointEngine) -> None:
    while engine.in_flight:
        engine.step(1.0)


def test_a_refused_key_ends_the_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    with ChatServer(by_words, key="another") as server:
        with opened(server, tmp_path, limits={"key_variable": "SOME_KEY"}) as engine:
            engine.submit(1, ask("pears"))
            with pytest.raises(UserError, match=r"refuses the key in the environment variable SOME_KEY") as caught:
                finish(engine)
        assert KEY not in str(caught.value)
        with opened(server, tmp_path) as engine:
            engine.submit(1, ask("pears"))
            with pytest.raises(UserError, match="asks for a key"):
                finish(engine)
        assert len(server.received) == 2
        monkeypatch.delenv("SOME_KEY")
        with (
            pytest.raises(UserError, match="SOME_KEY is not set"),
            opened(server, tmp_path, limits={"key_variable": "SOME_KEY"}),
        ):
            pass


def test_without_a_key_variable_no_key_of_the_environment_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(by_words, key=KEY) as server, opened(server, tmp_path) as engine:
        engine.submit(1, ask("pears"))
        with pytest.raises(UserError, match="asks for a key"):
            finish(engine)


def test_an_unknown_model_ends_the_run_at_once(words: ChatServer, tmp_path: Path) -> None:
    with opened(words, tmp_path, model="large") as engine:
        engine.submit(1, ask("pears"))
        with pytest.raises(UserError, match=r"does not know the model 'large'"):
            finish(engine)
    assert len(words.received) == 1


def test_failures_that_last_fail_their_request_alone(tmp_path: Path) -> None:
    def fault(body: Body, n: int) -> str | None:
        return {"bad": "500", "mute": "stall"}.get(body["messages"][0]["content"])

    limits = {"attempts": 3, "timeout_s": 0.5, "deadline_s": 30.0}
    with ChatServer(by_words, fault) as server, opened(server, tmp_path, limits=limits) as engine:
        bad, mute, good = answers(engine, [ask("bad"), ask("mute"), ask("good")])
        assert (bad.finish, bad.error) == ("error", "engine_error: HTTP 500")
        assert (mute.finish, mute.error) == ("error", "engine_error: ReadTimeout")
        assert good.finish == "stop"
        assert len(server.received) == 7
        assert (engine.usage("actor")["refused"], engine.usage("actor")["lost"], engine.usage("actor")["answered"]) == (
            3,
            3,
            1,
        )


def test_a_request_has_a_deadline_over_all_attempts(tmp_path: Path) -> None:
    limits = {"attempts": 1000, "deadline_s": 0.5}
    with ChatServer(by_words, lambda body, n: "500") as server, opened(server, tmp_path, limits=limits) as engine:
        (completion,) = answers(engine, [ask("pears")])
    assert completion.error == "engine_error: no answer within 0.5 s"


def test_a_server_that_is_not_there_was_not_asked(tmp_path: Path) -> None:
    with ChatServer(by_words) as server:
        pass
    with opened(server, tmp_path, limits={"attempts": 2}) as engine:
        (completion,) = answers(engine, [ask("pears")])
        assert completion.error == "engine_error: ConnectError"
        assert (engine.usage("actor")["refused"], engine.usage("actor")["lost"]) == (2, 0)


def test_a_filtered_completion_is_an_error_and_is_paid_once(tmp_path: Path) -> None:
    filtered = Completion("", 3, 4, "error", "content_filter")
    with ChatServer(lambda body: filtered) as server, opened(server, tmp_path) as engine:
        for _ in range(2):
            (completion,) = answers(engine, [ask("pears")])
            assert completion.finish == "error" and "content_filter" in (completion.error or "")
        assert len(server.served) == 1


def test_step_does_not_wait_for_a_slow_server_and_close_gives_it_up(tmp_path: Path) -> None:
    with ChatServer(by_words, lambda body, n: "stall") as server, opened(server, tmp_path) as engine:
        engine.submit(1, ask("pears"))
        while not server.received:
            assert engine.step(0.0) == []
        assert engine.step(0.0) == [] and engine.in_flight == 1
    with opened(server, tmp_path) as engine:
        assert engine.usage("actor")["lost"] == 1  # it may have been paid


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'"text"',
        b'{"error": {"message": "overloaded"}}',
        b'{"choices": []}',
        b'{"choices": [{}], "usage": {}}',
        b'{"choices": {"0": 1}}',
        '{"choices": [{"message": {"content": "é'.encode()[:-1],
    ],
)
def test_what_is_no_completion_is_asked_again(tmp_path: Path, content: bytes) -> None:
    with (
        ChatServer(by_words, lambda body, n: content if n < 2 else None) as server,
        opened(server, tmp_path) as engine,
    ):
        (completion,) = answers(engine, [ask("pears")])
        assert completion.finish == "stop" and engine.usage("actor")["lost"] == 2


def test_a_server_that_counts_no_tokens_ends_the_run(tmp_path: Path) -> None:
    content = b'{"choices": [{"finish_reason": "stop", "message": {"content": "x"}}]}'
    with ChatServer(by_words, lambda body, n: content) as server, opened(server, tmp_path) as engine:
        engine.submit(1, ask("pears"))
        with pytest.raises(UserError, match="does not count tokens"):
            finish(engine)


def test_a_full_disk_ends_the_run(words: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(words, tmp_path) as engine:
        monkeypatch.setattr(engine._store, "_file", os.open("/dev/full", os.O_WRONLY))
        engine.submit(1, ask("pears"))
        with pytest.raises(UserError, match=r"cannot write .*No space left on device"):
            finish(engine)
    assert words.received == []  # nothing is asked that could not be kept


def test_a_message_is_sent_as_it_is(words: ChatServer, tmp_path: Path) -> None:
    chat = (Message("system", "be brief"), Message("user", "äpfel?"))
    with opened(words, tmp_path) as engine:
        answers(engine, [Generate("actor", chat, Sampling(0.7, 0.9, 0, 12), 5)])
    assert words.received == [
        {
            "model": "tiny",
            "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "äpfel?"}],
            "temperature": 0.7,
            "top_p": 0.9,
            "max_tokens": 12,
            "seed": 5,
        }
    ]
