"""Take a model from a folder or a hub: check it, link its files, write its manifest."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.core.models import check_folder, new_folder
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="a model folder or a hub id")
    parser.add_argument("--revision", nargs="?", help="hub revision; default: the newest")
    parser.add_argument("--model", type=Path, required=True, help="output: the manifest of the model folder")
    args = parser.parse_args()

    folder = Path(args.source) if Path(args.source).is_dir() else download(args.source, args.revision)
    check_folder(folder)
    with new_folder(args.model.parent) as new:
        for file in sorted(path for path in folder.iterdir() if path.is_file() and path.name != args.model.name):
            os.symlink(file.resolve(), new / file.name)  # weights are large, and never written to


def download(name: str, revision: str | None) -> Path:
    """The local folder of a hub model. Raises UserError when it cannot be had."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(name, revision=revision, ignore_patterns=["*.bin", "*.pt", "*.pth", "*.gguf", "*.onnx"])
        )
    except Exception as error:  # the hub's client raises many kinds; each means that the model cannot be had
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"cannot load the model {name} ({reason}); check its name, revision and the network, "
            "or download it and give its folder as its source"
        ) from None


if __name__ == "__main__":
    run(main)
