"""Write the lock files and the four conda files from envs/pins.toml; `--check` only compares.

Run it as `make lock` after editing the pins. A test keeps the files equal to the pins.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ENVS = Path(__file__).resolve().parent
LOCKS = ("local", "vllm-cpu")
STACKS = ("sampling", "training", "merging", "tables")


def files() -> dict[Path, str]:
    """The generated files and their contents."""
    pins = tomllib.loads((ENVS / "pins.toml").read_text(encoding="utf-8"))
    header = "# Generated from pins.toml by `make lock`; edit that file.\n"
    contents = {ENVS / f"{name}.lock": header + "".join(f"{pin}\n" for pin in _pins_of(pins, name)) for name in LOCKS}
    for stack in STACKS:
        lines = [
            f"name: bestpath-{stack}",
            "channels:",
            "  - conda-forge",
            "  - nodefaults",
            "dependencies:",
            f"  - python={pins['python']['conda']}",
            *(f"  - {pin}" for pin in pins["conda"].get(stack, [])),
            "  - pip",
            "  - pip:",
            *(f"      - {pin}" for pin in _pins_of(pins, stack)),
        ]
        contents[ENVS / f"{stack}.yaml"] = header + "\n".join(lines) + "\n"
    return contents


def _pins_of(pins: dict[str, Any], stack: str) -> list[str]:
    return [
        f"{name}=={version}"
        for name, versions in pins["packages"].items()
        for version, stacks in versions.items()
        if stack in stacks.split()
    ]


def main() -> None:
    """Write the files, or with `--check` exit with 1 when one differs from the pins."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"error: {', '.join(path.name for path in stale)} differ from pins.toml; run `make lock`")
        return
    for path in stale:
        path.write_text(files()[path], encoding="utf-8")
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
