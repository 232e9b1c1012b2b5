"""What is checked of an endpoint before the first job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bestpath.core.errors import UserError
from bestpath.planning import preflight
from bestpath.planning.configuration import load
from bestpath.settings import Endpoint
from tests.stages.generation.endpoint_server import ChatServer, by_words

ROOT = Path(__file__).resolve().parents[2]
GREEDY = {"evaluation": {"decodings": {"sampled": {"top_k": 0}}}}


def check(endpoint: dict[str, Any] | None, **others: Any) -> None:
    generation = {"engine": "endpoint", "endpoint": endpoint}
    preflight.check(load({"generation": generation, **GREEDY, **others}), ROOT)


def test_an_endpoint_that_can_do_what_is_asked_passes() -> None:
    check({"url": "https://api.example.com/v1", "model": "m", "requests_per_minute": 500, "key_variable": "SOME_KEY"})
    for url in ("http://gpu-7.cluster:8000/v1/", "http://[::1]:8000/v1"):
        check({"url": url, "model": "m"})


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (None, "url and model"),
        ({"url": "api.example.com/v1"}, "no plain base address"),
        ({"url": "ftp://example.com"}, "no plain base address"),
        ({"url": "https://user:secret@example.com/v1"}, "no plain base address"),
        ({"url": "https://[secret/v1"}, "no plain base address"),
        ({"url": "https://example.com/v1?key=secret"}, "no plain base address"),
        ({"key_variable": "sk-secret"}, "must never be the key itself"),
    ],
)
def test_an_ill_described_endpoint_is_told_without_its_secrets(endpoint: dict[str, Any] | None, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        check(endpoint and {"url": "https://example.com/v1", "model": "m", **endpoint})
    assert "secret" not in str(caught.value)


def test_what_an_endpoint_cannot_do_is_told() -> None:
    endpoint = {"url": "https://example.com/v1", "model": "m"}
    decodings = {"sampled": {"temperature": 0.7, "top_k": 20}}
    with pytest.raises(UserError, match="takes_top_k"):
        check(endpoint, evaluation={"decodings": decodings})
    with pytest.raises(UserError, match="continues_prefill"):
        check(endpoint, recut={"explore": {"continuation": "prefill"}})
    able = {**endpoint, "takes_top_k": True, "continues_prefill": True}
    check(able, evaluation={"decodings": decodings}, recut={"explore": {"continuation": "prefill"}})


def test_an_endpoint_is_asked_for_its_models(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ChatServer(by_words, key="sk-seen-nowhere") as server:
        endpoint = Endpoint(url=server.url, model="tiny", key_variable="SOME_KEY")
        with pytest.raises(UserError, match="SOME_KEY is not set"):
            preflight.check_endpoint(endpoint)
        monkeypatch.setenv("SOME_KEY", "sk-wrong")
        with pytest.raises(UserError, match="refuses the key in SOME_KEY"):
            preflight.check_endpoint(endpoint)
        with pytest.raises(UserError, match="asks for a key"):
            preflight.check_endpoint(Endpoint(url=server.url, model="tiny"))
        monkeypatch.setenv("SOME_KEY", "sk-seen-nowhere")
        preflight.check_endpoint(endpoint)
        assert capsys.readouterr().err == ""
        preflight.check_endpoint(Endpoint(url=server.url, model="tinny", key_variable="SOME_KEY"))
        assert "does not list the model 'tinny'" in capsys.readouterr().err
    with pytest.raises(UserError, match="out of reach"):
        preflight.check_endpoint(endpoint)
