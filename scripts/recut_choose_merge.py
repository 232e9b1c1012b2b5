"""Choose one of a variant's merges on the dev split: the fewest tokens at the base's accuracy."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from bestpath.core.io import write_json
from bestpath.core.tables import read_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.metrics import measure
from bestpath.stages.evaluation.tables import SCORES
from bestpath.stages.training.choice import Readout, choose_merge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="the base's verdicts on the dev split")
    parser.add_argument("--scores", nargs="+", required=True, help="the merges' verdicts, seed by seed")
    parser.add_argument("--names", nargs="+", required=True, help="the merge that each file is of")
    parser.add_argument("--choice", required=True, help="output: the choice and what it rests on")
    args = parser.parse_args()

    def readout(paths: list[str]) -> Readout:
        measured = measure({seed: read_table(path, SCORES) for seed, path in enumerate(paths)})
        return Readout(measured.accuracy, measured.tokens or 0.0, measured.problems)

    base = readout([args.base])
    of_each = list(zip(args.names, args.scores, strict=True))
    merges = {name: readout([path for n, path in of_each if n == name]) for name in dict.fromkeys(args.names)}
    chosen = choose_merge(merges, base)
    readouts = {name: asdict(value) for name, value in merges.items()}
    write_json(args.choice, {"chosen": chosen, "base": asdict(base), "merges": readouts})


if __name__ == "__main__":
    run(main)
