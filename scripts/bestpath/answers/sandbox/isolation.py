"""How a program is kept away from everything: the command that runs it, by bubblewrap or namespaces (docs/sandbox.md).

Both give it a root of its own in which only the system's libraries and the Python that runs it can be seen, read-only,
no network, no other processes, no capabilities, and a small folder in memory to work in. `rlimit` has none of that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bestpath.core.errors import UserError
from bestpath.runtime.tools import tool

Level = Literal["bubblewrap", "namespace", "rlimit"]
LEVELS: tuple[Level, ...] = ("bubblewrap", "namespace", "rlimit")
"""The strongest first."""

_NOBODY = 65534
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
_DEVICES = ("null", "zero", "urandom")
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/sandbox",
    "TMPDIR": "/sandbox",
    "PYTHONHASHSEED": "0",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
}

# What runs first in the new namespaces: a root in memory with what may be seen, and no way back.
_PREPARE = r"""
set -e
PATH=$PATH:/usr/sbin:/sbin
root=$1 program=$2 kilobytes=$3
shift 3
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=1m tmpfs "$root"
while [ "$1" != -- ]; do
    if [ "$1" = link ]; then ln -s "$3" "$root$2"; shift 3; continue; fi
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}"; : > "$root$1"; fi
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro,nosuid "$root$1"
    shift
done
shift
mkdir -p "$root/proc" "$root/dev" "$root/sandbox" "$root/old"
for device in null zero urandom; do : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
: > "$root/program.py"
mount --bind "$program" "$root/program.py"
mount -o remount,bind,ro,nosuid,nodev "$root/program.py"
mount -t tmpfs -o "mode=777,size=${kilobytes}k,nr_inodes=1000,nosuid,nodev" tmpfs "$root/sandbox"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
pivot_root "$root" "$root/old"
cd /sandbox
umount -l /old
mount -o remount,ro /
exec "$@"
"""


@dataclass(frozen=True)
class Limits:
    """What a program may use. Seconds of CPU and memory, of all its processes together; seconds on the clock, many, so
    that they end a program that waits and what else the machine does changes no result; its output, of which the rest
    is read and thrown away; the size of its folder."""

    wall_s: float = 60.0
    cpu_s: int = 5
    memory_mb: int = 1024
    output_bytes: int = 10_000
    processes: int = 16
    folder_mb: int = 16


def command(level: Level, program: Path, folder: Path, limits: Limits) -> list[str]:
    """The command that runs a program's file at a level; `folder` is an empty one for it to start from."""
    python = [sys.executable, "-I", "-B"]
    if level == "rlimit":
        return [*_limited(limits), *python, str(program)]
    if level == "bubblewrap":
        return [*_bubblewrap(program, limits), *_limited(limits), *python, "/program.py"]
    # root becomes the user nobody, whose processes the kernel counts; others become root of a namespace without rights
    root = os.geteuid() == 0
    change = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"] if root else []
    inside = ["setpriv", *change, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *_limited(limits)]
    return [
        *("unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"),
        *([] if root else ["--user", "--map-root-user"]),
        *("sh", "-c", _PREPARE, "sh", str(folder), str(program), str(1024 * limits.folder_mb)),
        *(part for link in _links() for part in ("link", *link)),
        *(*_visible(), "--", *inside, *python, "/program.py"),
    ]


def environment() -> dict[str, str]:
    """The whole environment of a program."""
    return dict(_ENVIRONMENT)


def missing(level: Level) -> str | None:
    """The tools that a level lacks on this machine, None if they are there; whether they work, a trial shows."""
    tools = {
        "bubblewrap": ("bwrap", "prlimit"),
        "namespace": ("unshare", "setpriv", "mount", "umount", "pivot_root", "prlimit", "sh"),
        "rlimit": ("prlimit",),
    }[level]
    lacking = [name for name in tools if tool(name) is None]
    return f"{', '.join(lacking)} cannot be found" if lacking else None


def unfit(level: Level) -> str | None:
    """Why a level is not for this user, whatever the machine has; None if it is."""
    if level == "bubblewrap" and os.geteuid() == 0:
        return "it would leave programs root's number of processes"
    return None


def none_works(allowed: Sequence[Level], reasons: Sequence[str]) -> UserError:
    """The error of a machine that offers no isolation."""
    return UserError(
        f"programs that a model writes cannot be isolated here ({'; '.join(reasons)}); install bubblewrap, or allow "
        "user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0), or, only on a "
        f"machine with nothing to lose, set sandbox.min_level to rlimit (now {allowed[-1]})"
    )


def _limited(limits: Limits) -> list[str]:
    size = limits.memory_mb << 20
    return [
        "prlimit",
        f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}",
        f"--as={size}",
        f"--fsize={limits.folder_mb << 20}",
        f"--nproc={4 * limits.processes}",
        "--nofile=64",
        "--core=0",
        "--",
    ]


def _bubblewrap(program: Path, limits: Limits) -> list[str]:
    links = [option for path, target in _links() for option in ("--symlink", target, path)]
    binds = [option for path in _visible() for option in ("--ro-bind", path, path)]
    size = limits.folder_mb << 20
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", *links, *binds),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--size", str(size), "--tmpfs", "/sandbox"),
        *("--ro-bind", str(program), "/program.py", "--remount-ro", "/", "--chdir", "/sandbox", "--"),
    ]


def _links() -> list[tuple[str, str]]:
    """The system's folders that are links, as to where they lead (`/lib` to `usr/lib`)."""
    return [(path, os.readlink(path)) for path in _SYSTEM if os.path.islink(path)]


def _visible() -> list[str]:
    """What a program sees of this machine: the system's libraries and its Python."""
    pythons = [sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)]
    system = [path for path in _SYSTEM if os.path.exists(path) and not os.path.islink(path)]
    paths = list(dict.fromkeys([*system, *pythons]))
    return [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]
