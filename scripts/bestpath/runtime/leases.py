"""GPU leases: the jobs of one machine get devices of their own.

A lease is a lock on one file a device. It ends with the process that took it and those that inherited it, however they
end, so there is nothing to clean up. All runs of a user on a machine agree, wherever their checkouts lie, as long as
they name devices alike.
"""

from __future__ import annotations

import fcntl
import os
import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import which
from urllib.parse import quote

from bestpath.core.errors import UserError

VISIBLE = "CUDA_VISIBLE_DEVICES"

_ASK_EVERY_S = 1.0
_TELL_AFTER_S = 10.0


def devices_of(environment: Mapping[str, str], dev: Path = Path("/dev")) -> list[str]:
    """The devices that jobs may use: those the environment names (ids or UUIDs, as they are), else the machine's."""
    if VISIBLE in environment:
        names = [name.strip() for name in environment[VISIBLE].split(",")]
        return list(dict.fromkeys(name for name in names if name not in {"", "-1", "NoDevFiles"}))
    n = len(list(dev.glob("nvidia[0-9]*"))) or _listed_by_driver()
    return [str(i) for i in range(n)]


def _listed_by_driver() -> int:
    """How many GPUs the driver lists; the device files may be elsewhere."""
    if which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def folder_of(environment: Mapping[str, str]) -> Path:
    """Where the locks lie: one folder a user and machine; one an allocation inside Slurm, which may number anew."""
    allocation = environment.get("SLURM_JOB_ID")
    return Path(f"/tmp/bestpath-gpus-{os.getuid()}" + (f"-{allocation}" if allocation else ""))


def lease(n: int, devices: Sequence[str], folder: Path, tell: Callable[[str], None]) -> list[str]:
    """Take `n` of the devices, waiting until so many are free; this process and its children hold them.

    `tell` is told once when waiting takes long. Raises UserError when there are fewer devices than that, ever.
    """
    if n > len(devices):
        asked = f"this job asks for {n} GPU{'s' if n > 1 else ''}, but this machine offers"
        if not devices:
            raise UserError(f"{asked} none; set compute.gpus to 0, or run where there is one")
        raise UserError(
            f"{asked} only {len(devices)} ({', '.join(devices)}); lower compute.gpus, and run Snakemake with "
            f"--resources gpu={len(devices)}"
        )
    _make(folder)
    started, told = time.monotonic(), False
    while len(held := _take(n, devices, folder)) < n:
        if not told and time.monotonic() - started > _TELL_AFTER_S:
            tell(f"waiting for {n} of the GPUs {', '.join(devices)}, which other jobs of this machine use")
            told = True
        time.sleep(_ASK_EVERY_S * random.uniform(0.5, 1.5))
    return held


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise UserError(f"{folder}, where GPUs are leased, belongs to somebody else; ask them to remove it")


def _take(n: int, devices: Sequence[str], folder: Path) -> list[str]:
    """Lock `n` devices or none, one job at a time, so that two jobs never wait for each other's halves."""
    with (folder / "turn.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        held: dict[str, int] = {}
        for device in devices:
            descriptor = os.open(folder / quote(device, safe=""), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            os.set_inheritable(descriptor, True)
            held[device] = descriptor
            if len(held) == n:
                return list(held)
        for descriptor in held.values():
            os.close(descriptor)
        return []
