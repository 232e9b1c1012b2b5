"""Resume state of jobs that generate: kept until the run knows that they ended well.

A job's state lies in `results/.work/<rule>/<key>`. If a run is killed after a job has written its outputs and before
Snakemake has recorded that, the next run starts that job again, which must then find everything that it has generated.
So a job only marks its state as spent, and a run that ends well sweeps up what is marked.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_SPENT = "spent"


def spend(work: Path) -> None:
    """Mark a job's state: its outputs are written. A job without any state has nothing to mark."""
    if work.is_dir():
        (work / _SPENT).touch()


def sweep(root: Path) -> None:
    """Remove all spent state below `root` (`results/.work`)."""
    for mark in root.glob(f"*/*/{_SPENT}"):
        shutil.rmtree(mark.parent, ignore_errors=True)
