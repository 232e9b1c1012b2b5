"""Two processes train one model together, and one of them writes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from bestpath.stages.training import processes
from bestpath.stages.training.checkpoints import checkpoint
from tests.stages.training import test_resume

ROOT = Path(__file__).parents[3]

CHILD = """
import sys
from pathlib import Path
from bestpath.stages.training import processes
from tests.stages.training import test_processes

result = test_processes.run(Path(sys.argv[1]), Path(sys.argv[2]))
print(f"process {processes.is_first()} of {processes.count()} chose {result.chosen}")
"""


def run(base, folder):
    """Micro-batches so small that two processes, too, accumulate."""
    return test_resume.run(base, folder, recipe=replace(test_resume.RECIPE, micro_batch=2))


def test_one_process_is_the_default():
    assert processes.count() == 1
    assert processes.is_first()


def test_two_processes_come_to_the_same_model(base, tmp_path):
    (tmp_path / "child.py").write_text(CHILD)
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launch, str(tmp_path / "child.py"), str(base), str(tmp_path / "two")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one = run(base, tmp_path / "one")
    said = sorted(line for line in done.stdout.splitlines() if line.startswith("process"))
    assert said == [f"process {first} of 2 chose {one.chosen}" for first in (False, True)]
    assert done.stderr.count("step 6:") == 1
    names = [{path.name for path in checkpoint(tmp_path / way / "work", 6).iterdir()} for way in ("one", "two")]
    assert names[1] - names[0] == {"rng_state_0.pth", "rng_state_1.pth"}
    ours, theirs = (load_file(tmp_path / way / "out" / "model.safetensors") for way in ("one", "two"))
    for name, weights in ours.items():
        torch.testing.assert_close(theirs[name], weights, rtol=0, atol=2e-4)
