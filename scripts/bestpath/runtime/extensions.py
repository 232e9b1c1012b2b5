"""What DeepSpeed compiles before it can run on a CPU, compiled once.

torch guards such a build by a lock file that outlives its owner: after a build was killed, every later one waits for
ever. So we take a lock of our own first, which dies with its owner: who holds it may remove torch's old lock file. And
each run works on a copy of the build, where no other run can leave a lock file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bestpath.core.errors import UserError

_BUILD = (
    "from deepspeed.accelerator import get_accelerator as accelerator;"
    "accelerator().create_op_builder('ShareMemCommBuilder').load()"
)


def built() -> Path:
    """A folder for TORCH_EXTENSIONS_DIR with DeepSpeed's communication module, in the user's cache.

    Compiling takes a minute or two. Raises UserError when it fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    home = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]  # paths of it are in the build, or it is compiled anew
    kind = f"{platform.node()}-{home}-torch-{version('torch')}-deepspeed-{version('deepspeed')}"
    folder = cache / "bestpath" / "extensions" / kind
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in folder.glob("*/lock"):
            left_over.unlink()
        done = folder / "done"
        if not done.exists():
            print("compiling DeepSpeed's module for this CPU (once)", file=sys.stderr, flush=True)
            environment = {**os.environ, "DS_ACCELERATOR": "cpu", "TORCH_EXTENSIONS_DIR": str(folder)}
            build = subprocess.run([sys.executable, "-c", _BUILD], env=environment, capture_output=True, text=True)
            if build.returncode:
                reason = (build.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise UserError(
                    f"DeepSpeed could not compile its module for the CPU ({reason}); install a C++ compiler (g++), or "
                    "set train.zero of the method to 0"
                )
            done.touch()
    return folder
