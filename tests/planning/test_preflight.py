"""What is checked before the first job."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bestpath.catalog import METHODS, Experiment
from bestpath.core.errors import UserError
from bestpath.planning import preflight
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring
from bestpath.settings.endpoint import Endpoint
from tests.conftest import ROOT
from tests.stages.generation.endpoint_server import ChatServer, by_words

GREEDY = {"evaluation": {"decodings": {"sampled": {"top_k": 0}}}}


def check(**config: Any) -> None:
    preflight.check(Experiment(load(config)), ROOT)


def check_base(endpoint: dict[str, Any], **others: Any) -> None:
    check(models={"base": {"endpoint": endpoint}}, **{**GREEDY, **others})


# --- endpoints ----------------------------------------------------------------------------------------------------


def test_an_endpoint_that_can_do_what_is_asked_passes() -> None:
    check_base(
        {"url": "https://api.example.com/v1", "model": "m", "requests_per_minute": 500.0, "key_variable": "SOME_KEY"}
    )
    for url in ("http://gpu-7.cluster:8000/v1/", "http://[::1]:8000/v1"):
        check_base({"url": url, "model": "m"})


@pytest.mark.parametrize("role", ["base", "teacher"])
@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"url": "api.example.com/v1"}, "no plain base address"),
        ({"url": "ftp://example.com"}, "no plain base address"),
        ({"url": "https://user:secret@example.com/v1"}, "no plain base address"),
        ({"url": "https://[secret/v1"}, "no plain base address"),
        ({"url": "https://example.com/v1?key=secret"}, "no plain base address"),
        ({"key_variable": "sk-secret"}, "must never be the key itself"),
    ],
)
def test_an_ill_described_endpoint_is_told_without_its_secrets(role: str, endpoint: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=rf"models\.{role}\.endpoint.*{said}") as caught:
        check(models={role: {"endpoint": {"url": "https://example.com/v1", "model": "m", **endpoint}}}, **GREEDY)
    assert "secret" not in str(caught.value)


def test_what_an_endpoint_cannot_do_is_told() -> None:
    endpoint = {"url": "https://example.com/v1", "model": "m"}
    decodings = {"sampled": {"temperature": 0.7, "top_k": 20}}
    prefill = {"methods": {"recut": {"explore": {"continuation": "prefill"}}}}
    with pytest.raises(UserError, match="takes_top_k"):
        check_base(endpoint, evaluation={"decodings": decodings})
    with pytest.raises(UserError, match="continues_prefill"):
        check_base(endpoint, **prefill)
    able = {**endpoint, "takes_top_k": True, "continues_prefill": True}
    check_base(able, evaluation={"decodings": decodings}, **prefill)


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
    with pytest.raises(UserError, match=r"out of reach.*'models\.teacher\.endpoint\.url'"):
        preflight.check_endpoint(endpoint, "models.teacher.endpoint")


def test_a_plain_prompt_that_nothing_teaches_is_told() -> None:
    """A method may lean on the lesson of another without naming it: its plain prompt has to be taught by some."""
    experiment = Experiment(load({"methods": {"recut": {}}}))
    experiment.methods["recut"] = dataclasses.replace(METHODS["recut"], taught=lambda common, own: ())
    preflight.check(experiment, ROOT)
    experiment = Experiment(load({"methods": {"recut": {}}, "embedded": {"lessons": ["gsi"]}}))
    experiment.methods["recut"] = dataclasses.replace(METHODS["recut"], taught=lambda common, own: ())
    with pytest.raises(UserError, match=r"not taught config/prompts/recut/neutral\.jinja.*lessons are recut, gsi"):
        preflight.check(experiment, ROOT)


# --- methods and their roles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"methods": {"gsi": {}}}, "the method gsi needs the lesson 'gsi'.*add it to 'embedded.lessons'"),
        ({"embedded": {"lessons": ["recut", "gzi"]}}, "unknown lesson 'gzi'; did you mean gsi"),
        (
            {"methods": {"recut": {"train_on": ["mathh"]}}},
            "'methods.recut.train_on' names 'mathh', which is no data set",
        ),
        (
            {"methods": {"recut": {"roles": {"actor": "larg"}}}, "models": {"large": {}}},
            "'methods.recut.roles.actor' names 'larg', which is no entry of 'models'; there is large",
        ),
        (
            {"models": {"judge": {"source": "embedded"}}},
            "'models.judge.source' is embedded, which only the base can be",
        ),
        ({"problems": {"train": {"path": "nowhere.jsonl", "n": 5}}}, "names nowhere.jsonl, which is not there"),
        ({"problems": {"others": {"more": {"path": "some/set"}}}}, "'problems.others.more.n' is missing"),
        ({"evaluation": {"sets": {"dev": {"path": "embedded:test"}}}}, "'evaluation.sets.dev' uses a reserved name"),
    ],
)
def test_what_would_fail_hours_later_fails_now(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        check(**config)


def test_several_methods_pass_when_the_base_is_taught_for_all() -> None:
    check(methods={"recut": {}, "gsi": {}}, embedded={"lessons": ["recut", "gsi"]})


def test_a_target_must_be_a_method_that_is_run() -> None:
    experiment = Experiment(load({}))
    preflight.check_targets(experiment, ["snakemake", "recut", "--dry-run"])
    with pytest.raises(UserError, match=r"the target is gsi, but the configuration runs recut.*config/gsi\.yaml"):
        preflight.check_targets(experiment, ["snakemake", "gsi"])


@pytest.mark.parametrize(
    ("config", "key"),
    [({"compute": {"gpus": 4}}, "compute.gpus"), ({"models": {"teacher": {"gpus": 4}}}, r"models\.teacher\.gpus")],
)
def test_a_job_may_have_the_gpus_that_it_asks_for(config: dict[str, Any], key: str) -> None:
    experiment = Experiment(load(config))
    for limit in (None, 4, 8):
        preflight.check_gpus(experiment, workflow(limit))
    with pytest.raises(UserError, match=f"'{key}' asks for 4 GPUs a job, but this run may use 2"):
        preflight.check_gpus(experiment, workflow(2))


def workflow(gpus: int | None) -> SimpleNamespace:
    return SimpleNamespace(global_resources={} if gpus is None else {"gpu": SimpleNamespace(value=gpus)})


def test_an_engine_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "find_spec", lambda name: None)
    assert preflight.engine_python(Wiring(Experiment(load({}))), tmp_path) == "python"
    for config in ({"generation": {"engine": "vllm"}}, {"models": {"teacher": {"engine": "vllm"}}}):
        with pytest.raises(UserError, match="the engine vllm is asked for, which is not installed here"):
            preflight.engine_python(Wiring(Experiment(load(config))), tmp_path)


def test_a_disk_that_is_too_small_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "parameters", lambda folder: 1e15)
    monkeypatch.setattr(preflight, "check_folder", lambda folder: None)
    (tmp_path / "config.json").write_text("{}")
    own = {
        "models": {"base": {"source": str(tmp_path)}},
        "problems": {"train": {"path": "some/train", "n": 100}},
        "evaluation": {"sets": {"mine": {"path": "some/test"}}},
    }
    with pytest.raises(UserError, match=r"models need about [\d,.]+ GB of disk"):
        check(**own)
