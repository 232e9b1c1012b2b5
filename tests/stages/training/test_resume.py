"""A run that is killed with SIGKILL and started again ends with the same bytes and the same metrics."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bestpath.core.rejects import Rejects
from bestpath.stages.training.checkpoints import checkpoint, is_whole, newest, whole_steps
from bestpath.stages.training.choice import Readout
from bestpath.stages.training.progress import Watch
from bestpath.stages.training.train import train
from tests.stages.training.tiny import example, pair, recipe_of
from tests.warm import run_warm

ROOT = Path(__file__).parents[3]
RECIPE = recipe_of(
    1e-3, global_batch=8, micro_batch=4, lora_rank=0, precision="float32", max_length=250, epochs=2.0, checkpoints=3
)
STEPS = (2, 4, 6)

CHILD = """
import os, signal, sys
from pathlib import Path
from tests.stages.training import test_resume

moment, base, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)

if moment == "in the second checkpoint":
    from transformers import Trainer
    save = Trainer._save_optimizer_and_scheduler
    Trainer._save_optimizer_and_scheduler = lambda self, out: die() if self.state.global_step == 4 else save(self, out)
readout = test_resume.readout
if moment == "in the first readout":
    readout = lambda model, step: die() if step == 2 else test_resume.readout(model, step)
if moment.startswith("SIGTERM"):
    from bestpath.stages.training.progress import Watch
    end = Watch.on_step_end
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == int(moment[-1]):
            os.kill(os.getpid(), signal.SIGTERM)
        end(self, args, state, control, **kwargs)
    Watch.on_step_end = on_step_end
test_resume.run(base, folder, readout)
"""


def readout(folder, step):
    """A number that depends on the weights, so that equal tables mean equal models."""
    from safetensors.torch import load_file

    weights = load_file(folder / "model.safetensors")
    return Readout(0.5, sum(float(weight.double().abs().sum()) for weight in weights.values()), 20)


def run(base, folder, readout=readout, recipe=RECIPE, first=0, dev=7):
    row = pair if recipe.objective == "dpo" else example
    rows, dev = [row(i) for i in range(first, first + 24)], [row(i) for i in range(100, 100 + dev)]
    options = {"rejects": Rejects("training"), "criterion": "length", "readout": readout}
    return train(recipe, base, rows, dev, folder / "out", folder / "work", **options)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def straight(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    return run(base, folder), contents(folder / "out")


def run_child(moment, base, folder):
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    (folder / "child.py").write_text(CHILD)
    return run_warm([str(folder / "child.py"), moment, str(base), str(folder)], folder, environment)


@pytest.mark.parametrize(
    ("moment", "step", "whole"), [("in the second checkpoint", 4, False), ("in the first readout", 2, True)]
)
def test_killed_and_started_again(moment, step, whole, base, straight, tmp_path):
    child = run_child(moment, base, tmp_path)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert not (tmp_path / "out").exists()
    assert checkpoint(tmp_path / "work", step).is_dir()
    assert is_whole(checkpoint(tmp_path / "work", step)) == whole
    seen = []

    def counted(folder, at):
        seen.append(at)
        return readout(folder, at)

    result = run(base, tmp_path, counted)
    assert seen == [at for at in STEPS if at >= step]
    assert result == straight[0]
    assert contents(tmp_path / "out") == straight[1]


@pytest.mark.parametrize("step", [3, 4])
def test_sigterm_saves_and_the_run_goes_on_from_there(step, base, straight, tmp_path, monkeypatch):
    """Within the schedule of checkpoints (4) and outside of it (3)."""
    child = run_child(f"SIGTERM at {step}", base, tmp_path)
    assert child.returncode == 1
    told = child.stderr.splitlines()[-1]
    assert f"was told to stop (SIGTERM) at step {step} of 6; its state is saved" in told
    assert newest(tmp_path / "work").name == f"checkpoint-{step}"
    assert whole_steps(tmp_path / "work") == [at for at in STEPS if at <= step]
    trained = []
    monkeypatch.setattr(Watch, "on_step_begin", lambda *_, **__: trained.append(None))
    assert run(base, tmp_path) == straight[0]
    assert len(trained) == 6 - step
    assert contents(tmp_path / "out") == straight[1]
    assert newest(tmp_path / "work").parent == tmp_path / "work"


def test_a_damaged_newest_checkpoint_is_trained_again_from_the_one_before(base, tmp_path):
    """With LoRA and its dropout, so that the random state matters, and a readout that disturbs it."""
    recipe = replace(RECIPE, lora_rank=2, lora_dropout=0.2)

    def disturbing(folder, step):
        torch.manual_seed(step)
        torch.rand(step + 1)
        return readout(folder, step)

    straight = run(base, tmp_path, disturbing, recipe)
    before = contents(tmp_path / "out")
    optimizer = checkpoint(tmp_path / "work", 6) / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:1000])
    assert whole_steps(tmp_path / "work")[-1] == 4
    assert run(base, tmp_path, disturbing, recipe) == straight
    assert contents(tmp_path / "out") == before
    assert run(base, tmp_path / "undisturbed", readout, recipe) == straight


def test_without_the_best_checkpoint_so_far_a_run_starts_over(base, straight, tmp_path):
    chosen = run(base, tmp_path).chosen
    assert chosen < STEPS[-1]
    (checkpoint(tmp_path / "work", chosen) / "model.safetensors").unlink()
    assert run(base, tmp_path) == straight[0]
    assert contents(tmp_path / "out") == straight[1]


def test_a_finished_run_is_only_exported_again(base, straight, tmp_path, monkeypatch):
    run(base, tmp_path)
    monkeypatch.setattr("bestpath.stages.training.trainers.fit", None)
    assert run(base, tmp_path) == straight[0]
    assert contents(tmp_path / "out") == straight[1]


def test_the_state_of_another_run_is_not_taken_up(base, straight, tmp_path):
    other = run(base, tmp_path, first=30)
    assert other != straight[0]
    assert run(base, tmp_path) == straight[0]
    assert contents(tmp_path / "out") == straight[1]
