"""Under DeepSpeed ZeRO two processes follow the loss curve of one, and end with its weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.stages.training import test_resume
from tests.stages.training.tiny import recipe_of

ROOT = Path(__file__).parents[3]

CHILD = """
import sys
from pathlib import Path
from tests.stages.training import test_zero
from tests.stages.training.tiny import recipe_of

test_zero.run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5])
"""


def readout(folder, step):
    """Loads the model, as the real one does: in the first process alone, while the others wait."""
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(folder)
    return test_resume.readout(folder, step)


def run(base, folder, objective, zero, precision="float32"):
    """Micro-batches so small that two processes, too, accumulate."""
    recipe = replace(test_resume.RECIPE, micro_batch=2, objective=objective, zero=zero, precision=precision)
    return test_resume.run(base, folder, readout, recipe=recipe, dev=8)


def launched(base, folder, objective, zero, precision="float32"):
    """The same in two processes, as a rule starts them."""
    folder.mkdir()
    (folder / "child.py").write_text(CHILD)
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    start = ["python", ROOT / "scripts/with_processes.py", "--cpu"]
    start += ["--zero", ROOT / f"config/deepspeed/zero{zero}.json", "2"]
    asked = [folder / "child.py", base, folder, objective, str(zero), precision]
    done = subprocess.run([*start, *asked], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    return load_file(folder / "out" / "model.safetensors"), losses(folder / "work")


def losses(work):
    """The losses of every step, as they were logged."""
    entries = [json.loads(line) for line in (work / "log.jsonl").read_text().splitlines()]
    return [entry.get("loss", entry.get("eval_loss")) for entry in entries if {"loss", "eval_loss"} & entry.keys()]


@pytest.mark.needs("compiler")
@pytest.mark.parametrize(("objective", "zero"), [("dpo", 2), ("sft", 3)])
def test_the_loss_curve_of_one_process(base, tmp_path, objective, zero):
    run(base, tmp_path / "one", objective, 0)
    weights, curve = launched(base, tmp_path / "two", objective, zero)
    expected = losses(tmp_path / "one" / "work")
    assert len(expected) > 8
    assert curve == pytest.approx(expected, rel=1e-5)
    one = load_file(tmp_path / "one" / "out" / "model.safetensors")
    assert weights.keys() == one.keys()  # the tied embedding is there once
    for name, expected_weight in one.items():
        torch.testing.assert_close(weights[name], expected_weight, rtol=0, atol=1e-5)


@pytest.mark.needs("compiler")
def test_the_exported_weights_are_the_float32_ones_that_were_trained(base, tmp_path):
    """Under bfloat16, DeepSpeed saves rounded weights, in which a small learning rate changes next to nothing."""
    weights, _ = launched(base, tmp_path / "two", "dpo", 3, "bfloat16")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    changed = [(weight != weight.bfloat16().float()).float().mean() for weight in weights.values()]
    assert sum(changed) / len(changed) > 0.5


def test_the_stage_is_part_of_the_state():
    assert recipe_of(1e-3, zero=2).settings()["zero"] == 2
