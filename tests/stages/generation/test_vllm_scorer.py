"""Scores by vLLM on a CPU, in its own environment (`make vllm`), against the transformers engine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bestpath.core.errors import UserError
from bestpath.core.search import Scored
from bestpath.stages.generation.engine import PROMPT_TOO_LONG
from bestpath.stages.generation.engines import open_scorer
from tests.machine import ROOT, VLLM
from tests.stages.generation.test_scoring import KINDS, chat, chats, scores
from tests.stages.generation.tiny import build_folder, build_reward_folder

SIZES = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}
CONTEXT = 192
CHATS = [*chats(40), chats(2)[1], chat("x", "z" * CONTEXT)]  # one twice, and one too long

Found = dict[str, list[list[Scored]]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "reward": build_reward_folder(folder / "reward", "qwen2", **SIZES),
        "likelihood": build_folder(folder / "language", "llama", **SIZES),
    }


@pytest.fixture(scope="module")
def found(folders: dict[str, Path]) -> Found:
    """The scores of each kind by a run with many slots, and by one with few."""
    runs = [
        {"of": of, "folder": str(folders[of]), "settings": {"context": CONTEXT, "slots": slots, "eager": True}}
        for of in KINDS
        for slots in (32, 3)
    ]
    asked = {"runs": runs, "chats": [[[turn.role, turn.content] for turn in chat] for chat in CHATS]}
    done = subprocess.run(
        [VLLM, "-m", "tests.stages.generation.vllm_scores"],
        input=json.dumps(asked),
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [[Scored(**score) for score in run] for run in json.loads(done.stdout)]
    return {"reward": answers[:2], "likelihood": answers[2:]}


@pytest.mark.needs("vllm")
@pytest.mark.parametrize("of", KINDS)
def test_scores_are_those_of_the_transformers_engine(folders: dict[str, Path], found: Found, of: Any) -> None:
    expected = scores(open_scorer("transformers", folders[of], of, context=CONTEXT), CHATS, of)
    assert expected[-1].error == found[of][0][-1].error == PROMPT_TOO_LONG
    for one, other in zip(found[of][0][:-1], expected[:-1], strict=True):
        assert one.n_tokens == other.n_tokens and one.error is None
        assert one.value == pytest.approx(other.value, rel=1e-5, abs=2e-5)


@pytest.mark.needs("vllm")
@pytest.mark.parametrize("of", KINDS)
def test_the_batch_changes_nothing(found: Found, of: str) -> None:
    many, few = found[of]
    assert many == few
    assert len({score.value for score in many}) == 41  # 40 chats, and None


def test_a_folder_is_checked_before_vllm_starts(folders: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="is not a reward model"):
        open_scorer("vllm", folders["likelihood"])
    with pytest.raises(UserError, match="vLLM cannot be imported here"):
        open_scorer("vllm", folders["reward"])
