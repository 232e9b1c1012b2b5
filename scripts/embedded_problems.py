"""Make problems of the embedded language."""

from __future__ import annotations

import argparse
import json

from bestpath.core.io import write_jsonl
from bestpath.runtime.program import run
from bestpath.stages.embedded.language import World
from bestpath.stages.embedded.problems import problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", choices=["train", "test"], required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--world", required=True, help="range of operations and largest number, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--problems", required=True, help="output: the problems")
    args = parser.parse_args()

    write_jsonl(args.problems, problems(args.n, args.seed, World.sized(**json.loads(args.world)), args.pool))


if __name__ == "__main__":
    run(main)
