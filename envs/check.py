"""Prove that the conda files' pip parts can be installed: let a resolver solve each as it stands, for a GPU machine.

Every pin is taken with its dependencies, so that a conflict, a version that does not exist and a dependency that
is missing in the file show. Nothing is installed. Needs a package index, so it is `make check-envs`, not a test.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml
from generate import ENVS, STACKS
from setup import UV

PLATFORM = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.11")


def pins_of(stack: str) -> dict[str, str]:
    """The pip part of a stack's conda file, as version by name."""
    content = yaml.safe_load((ENVS / f"{stack}.yaml").read_text(encoding="utf-8"))
    pip = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
    return dict(pin.split("==") for pin in pip)


def resolve(uv: str, pins: dict[str, str], folder: Path) -> tuple[dict[str, str], list[str]]:
    """All packages that pip would install, as version by name, and those of them that have no wheel.

    Raises SystemExit with the resolver's explanation when there is no solution.
    """
    wanted, solved = folder / "requirements.txt", folder / "pylock.toml"
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
    command = [uv, "pip", "compile", "--quiet", *PLATFORM, "--format", "pylock.toml", "-o", solved, wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: the pins have no solution\n{done.stderr}")
    packages = tomllib.loads(solved.read_text(encoding="utf-8"))["packages"]
    solved.unlink()
    return {p["name"]: p["version"] for p in packages}, [p["name"] for p in packages if not p.get("wheels")]


def differences(pins: dict[str, str], solution: dict[str, str]) -> list[str]:
    """How a solution differs from the pins it was made from, a line each; empty for pins that are complete."""
    return [
        f"{name} {version} is needed but not in the file" for name, version in solution.items() if name not in pins
    ] + [
        f"{name} is pinned to {version}, but {solution.get(name, 'nothing')} is taken"
        for name, version in pins.items()
        if solution.get(name) != version
    ]


def find_uv(folder: Path) -> str:
    """uv's program: the one on the path, or one installed into `folder`, so that no environment is changed."""
    if program := shutil.which("uv"):
        return program
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", folder, UV], check=True)
    return str(folder / "bin" / "uv")


def main() -> None:
    """Check every stack; exit with 1 when one cannot be installed as it stands."""
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uv = find_uv(folder)
        for stack in STACKS:
            pins = pins_of(stack)
            solution, sources = resolve(uv, pins, folder)
            found = differences(pins, solution)
            built = f", built from source: {', '.join(sources)}" if sources else ""
            print(f"{stack}: {len(solution)} packages resolve{built}" if not found else f"{stack}: not complete")
            print("".join(f"    {line}\n" for line in found), end="")
            failed |= bool(found)
    if failed:
        sys.exit("error: correct envs/pins.toml, and run make lock")


if __name__ == "__main__":
    main()
