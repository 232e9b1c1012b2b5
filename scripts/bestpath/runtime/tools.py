"""The tools of the system: programs that bestpath calls and does not bring along."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def tool(name: str) -> str | None:
    """Where a tool is, None if nowhere: on the PATH, or in the `sbin` beside a `bin` of the PATH, since what
    administrators call (daemons, pivot_root) is not on every user's."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    beside = [str(Path(folder).with_name("sbin")) for folder in folders if Path(folder).name == "bin"]
    return shutil.which(name, path=os.pathsep.join([*folders, *beside]))
