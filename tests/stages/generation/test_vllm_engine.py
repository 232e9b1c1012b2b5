"""vLLM on a CPU, in its own environment (`make vllm`), against the transformers engine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Message, Sampling
from bestpath.stages.generation.engines import open_engine
from tests.machine import ROOT, VLLM
from tests.stages.generation.tiny import build_folder

SLOTS = 16

Asked = list[tuple[str, str, int, dict[str, Any]]]  # content, prefill, seed, sampling


def requests() -> Asked:
    """Greedy ones, sampled ones (two of a prompt), one that goes on from a prefill, one too long and one cut off."""
    greedy: Asked = [(f"how many apples are {i}?", "", i, {"max_tokens": 40}) for i in range(20)]
    sampled: Asked = [(f"pears {i // 2}", "", i, {"temperature": 0.8, "max_tokens": 40}) for i in range(20)]
    return [
        *greedy,
        *sampled,
        ("how many?", "there are many apples in", 0, {"max_tokens": 15}),
        ("x" * 300, "", 0, {"max_tokens": 5}),
        ("x" * 90, "", 0, {"max_tokens": 500}),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}
    return build_folder(tmp_path_factory.mktemp("model"), "qwen2", **sizes)


@pytest.fixture(scope="module")
def answered(folder: Path) -> list[list[Completion]]:
    """The answers of a run with many slots, and of one with few."""
    settings = {"context": 128, "vllm": {"eager": True}}
    asked = {
        "folder": str(folder),
        "runs": [{**settings, "slots": slots} for slots in (SLOTS, 3)],
        "requests": [
            {"content": content, "prefill": prefill, "seed": seed, "sampling": sampling}
            for content, prefill, seed, sampling in requests()
        ],
    }
    done = subprocess.run(
        [VLLM, "-m", "tests.stages.generation.vllm_answers"],
        input=json.dumps(asked),
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [[Completion(**completion) for completion in run] for run in json.loads(done.stdout)]


@pytest.mark.needs("vllm")
def test_greedy_answers_are_those_of_the_transformers_engine(folder: Path, answered: list[list[Completion]]) -> None:
    engine = open_engine("transformers", folder, context=128, slots=64)
    for ticket, (content, prefill, seed, sampling) in enumerate(requests()):
        engine.submit(ticket, Generate("actor", (Message("user", content),), Sampling(**sampling), seed, prefill))
    expected: dict[int, Completion] = {}
    while engine.in_flight:
        expected.update(engine.step(0.0))
    greedy = [i for i, (*_, sampling) in enumerate(requests()) if "temperature" not in sampling]
    assert [answered[0][i] for i in greedy] == [expected[i] for i in greedy]
    assert {answered[0][i].finish for i in greedy} == {"stop", "length", "error"}


@pytest.mark.needs("vllm")
def test_the_batch_changes_nothing(answered: list[list[Completion]]) -> None:
    many, few = answered
    assert many == few
    assert len({completion.text for completion in many[20:40]}) > 15


def test_an_engine_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UserError, match="there is no engine 'vlm'; did you mean 'vllm'"):
        open_engine("vlm", folder)
    with pytest.raises(UserError, match="vLLM cannot be imported here"):
        open_engine("vllm", folder)
