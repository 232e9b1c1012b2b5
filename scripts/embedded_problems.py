"""Make problems of the embedded language."""

from __future__ import annotations

import argparse
import json

from bestpath.errors import exit_cleanly
from bestpath.records import write_jsonl
from bestpath.stages.embedded.language import World, problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", choices=["train", "test"], required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--operations", required=True, help="fewest and most operations, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--problems", required=True, help="output: the problems")
    args = parser.parse_args()

    world = World(operations=tuple(json.loads(args.operations)))
    write_jsonl(args.problems, problems(args.n, args.seed, world, args.pool))


if __name__ == "__main__":
    exit_cleanly(main)
