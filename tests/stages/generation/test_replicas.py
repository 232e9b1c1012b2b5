"""Copies of an engine in processes of their own answer as one engine does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Message, Sampling
from bestpath.stages.generation.engine import Engine
from bestpath.stages.generation.engines import _device_groups, open_engine
from bestpath.stages.generation.engines.replicas import Replicas
from tests.stages.generation.tiny import build_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("model"))


def answers(engine: Engine, n: int = 24) -> list[Completion]:
    for i in range(n):
        chat = (Message("user", f"how many pears {i // 2}?"),)
        engine.submit(i, Generate("actor", chat, Sampling(temperature=0.8, max_tokens=20), i))
    assert engine.in_flight == n
    found: dict[int, Completion] = {}
    while engine.in_flight:
        found.update(engine.step(1.0))
    return [found[i] for i in range(n)]


def test_copies_answer_as_one_engine_does(folder: Path) -> None:
    copies = Replicas(["0", "1"], open_engine, "transformers", folder, slots=8)
    assert copies.capacity == 16
    assert answers(copies) == answers(open_engine("transformers", folder))
    assert copies.step(0.0) == []
    copies.close()


def test_a_copy_that_dies_ends_the_run_with_one_sentence(folder: Path) -> None:
    copies = Replicas(["0", "1"], open_engine, "transformers", folder)
    copies.submit(0, Generate("actor", (Message("user", "pears"),), Sampling(max_tokens=200), 0))
    for copy in copies._copies:
        os.kill(copy.process.pid or 0, signal.SIGKILL)
    with pytest.raises(UserError, match=r"a copy of the engine ended \(exit code -9\)"):
        copies.step(5.0)
    copies.close()


def test_what_a_copy_cannot_do_is_told_in_its_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model folder"):
        Replicas(["0"], open_engine, "transformers", tmp_path / "nowhere")


def test_devices_are_shared_out_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-7,2,3")
    assert _device_groups(1) == ["0", "GPU-7", "2", "3"]
    assert _device_groups(2) == ["0,GPU-7", "2,3"]
    with pytest.raises(UserError, match="sees 4 GPUs, which cannot be shared out in groups of 3"):
        _device_groups(3)
