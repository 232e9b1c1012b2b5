"""List all systems of an experiment: their models, where these come from, and what they were made from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bestpath.core.io import read_json, write_json
from bestpath.core.systems import spent_on
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--usage", nargs="*", required=True, help="accounts of all jobs that sampled")
    parser.add_argument("--choices", nargs="*", required=True, help="what was taken of each model's training")
    parser.add_argument("--lineages", nargs="*", required=True, help="the lineages of trained and merged models")
    parser.add_argument("--declared", required=True, help="the systems as declared, and the files upstream, as JSON")
    parser.add_argument("--systems", required=True, help="output: the systems")
    args = parser.parse_args()

    declared = json.loads(args.declared)
    accounts = {path: read_json(path) for path in args.usage}
    choices = {path: read_json(path)["trained"] for path in args.choices}
    lineages: dict[str, Any] = dict(declared["lineages"])
    lineages |= {Path(path).parent.as_posix().partition("/models/")[2]: read_json(path) for path in args.lineages}
    systems = []
    for system in declared["systems"]:
        upstream = system.pop("upstream")
        spent = spent_on(
            [accounts[path] for path in upstream["usage"]],
            [choices[path] for path in upstream["choices"]],
            upstream["teachers"],
        )
        systems.append({**system, "spent": spent.record()})
    write_json(args.systems, {"reference": declared["reference"], "systems": systems, "lineages": lineages})


if __name__ == "__main__":
    run(main)
