"""The checkpoints of a run: written in place by the trainer, sealed when whole, believed only when sealed.

The trainer writes a checkpoint file by file, so a killed job leaves a half-written one. A checkpoint counts only
if `seal.json`, written last, is there and every file has the size it states; otherwise it is removed and the one
before it is taken.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from bestpath.core.io import read_json, write_json
from bestpath.core.models import sync

SEAL = "seal.json"
STOPPED = "stopped"
"""The folder in a run's work folder for the checkpoint of a run that was told to stop; it is resumed, never chosen."""


def checkpoint(work: Path, step: int) -> Path:
    """The folder of the checkpoint at a step; the name is the trainer's."""
    return work / f"checkpoint-{step}"


def seal(folder: Path) -> None:
    """Declare a checkpoint whole: sync its files and record their sizes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        sync(path)
    write_json(folder / SEAL, {path.relative_to(folder).as_posix(): path.stat().st_size for path in files})


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint is sealed and every sealed file has its size."""
    if not (folder / SEAL).is_file():
        return False
    files = {folder / name: size for name, size in read_json(folder / SEAL).items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in files.items())


def whole_steps(work: Path) -> list[int]:
    """The steps of all whole checkpoints, ascending. Half-written ones are removed."""
    steps = []
    for folder in work.glob("checkpoint-*"):
        if not is_whole(folder):
            remove(folder)
        elif match := re.fullmatch(r"checkpoint-(\d+)", folder.name):
            steps.append(int(match[1]))
    return sorted(steps)


def newest(work: Path) -> Path | None:
    """The newest whole checkpoint, from which a run goes on."""
    found = {step: folder for folder in (work, work / STOPPED) for step in whole_steps(folder)}
    return checkpoint(found[max(found)], max(found)) if found else None


def keep_only(work: Path, steps: Collection[int]) -> None:
    """Remove all checkpoints but those of `steps`."""
    for step in whole_steps(work):
        if step not in steps:
            remove(checkpoint(work, step))


def remove(folder: Path) -> None:
    """Remove a checkpoint, its seal first, so that a half-removed one is not believed."""
    (folder / SEAL).unlink(missing_ok=True)
    shutil.rmtree(folder)
