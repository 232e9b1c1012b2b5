"""What some tests need beyond `make setup`, and which a machine may lack.

Such a test is marked `needs("git")`: it is skipped, with the reason, where the machine has no git. Two options of
pytest see to it that it is tried both ways: `--bare` hides the tools of the system from the tests and from all that
they start, and with `--require git` such a test fails in place of being skipped.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bestpath.answers.sandbox import best_level, isolation
from bestpath.core.errors import UserError
from bestpath.runtime.tools import tool
from with_slurm import is_up, why_not

ROOT = Path(__file__).resolve().parent.parent
VLLM = ROOT / ".venv-vllm/bin/python"

BARE = (
    "basename bash cat chmod cp cut date dirname echo env expr false grep head ls ln mkdir mktemp mv pwd readlink rm "
    "rmdir sed sh sleep sort tail tee test touch tr true uname uniq wc which"
).split()
"""All tools of a bare machine: a shell, and what every shell script takes for granted; Snakemake needs `which`."""


def hide_tools(folder: Path) -> None:
    """Leave this process and its children no tools but those of a bare machine, through a folder of links."""
    bare = folder / "bin"
    bare.mkdir()
    for name in BARE:
        if path := tool(name):
            (bare / name).symlink_to(path)
    os.environ["PATH"] = str(bare)


def browser() -> str | None:
    """The browser that pages are tried in."""
    return next(filter(None, map(tool, ("chromium", "chromium-browser", "google-chrome"))), None)


@cache
def lacking(need: str) -> str | None:
    """What a machine lacks of a need, as the reason for which tests are skipped; None if it lacks nothing."""
    return _NEEDS[need]()


def _tools(*names: str) -> str | None:
    absent = [name for name in names if tool(name) is None]
    return f"{', '.join(absent)} cannot be found" if absent else None


def _isolation() -> str | None:
    try:
        best_level("namespace")
    except UserError as error:
        return str(error)
    return None


def _bubblewrap() -> str | None:
    """Also where it is installed, a machine may forbid what it does."""
    return isolation.missing("bubblewrap") or _refused("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")


def _compiler() -> str | None:
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    return _tools("c++") or (None if headers.is_file() else f"Python's headers are not installed ({headers})")


def _mount() -> str | None:
    if reason := _tools("mount", "umount"):
        return reason
    with tempfile.TemporaryDirectory() as folder:
        if reason := _refused("mount", "-t", "tmpfs", "tmpfs", folder):
            return reason
        subprocess.run(["umount", folder], check=True)
    return None


def _refused(*command: str) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{command[0]} does not work here: {done.stderr.strip()}" if done.returncode else None


_NEEDS: dict[str, Callable[[], str | None]] = {
    "browser": lambda: None if browser() else "no Chromium is on the PATH",
    "bubblewrap": _bubblewrap,
    "compiler": _compiler,
    "git": lambda: _tools("git"),
    "isolation": _isolation,
    "mount": _mount,
    "prlimit": lambda: _tools("prlimit"),
    "slurm": lambda: None if is_up() else why_not(),
    "vllm": lambda: None if VLLM.exists() else "there is no .venv-vllm; `make vllm` makes it",
}
