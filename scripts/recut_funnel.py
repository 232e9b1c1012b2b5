"""Count what became of every problem, completion and candidate of a ReCUT variant, and prove that none is missing."""

from __future__ import annotations

import argparse

from bestpath.core.io import read_jsonl, write_json
from bestpath.core.problems import PROBLEMS
from bestpath.core.rejects import REJECTS
from bestpath.core.tables import read_table, read_tables
from bestpath.methods.recut import explore
from bestpath.methods.recut.funnel import funnel
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL, TRIALS
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", nargs="+", required=True, help="the shards of the trace")
    parser.add_argument("--rounds", type=int, required=True, help="the rounds of the trace that are used")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--candidate-rejects", required=True)
    parser.add_argument("--optimal", required=True)
    parser.add_argument("--stages", nargs="+", required=True, help="what each training set is counted under")
    parser.add_argument(
        "--sets", nargs="+", required=True, help="train, dev and rejects of each set, in the same order"
    )
    parser.add_argument("--counts", required=True, help="output: the counts")
    args = parser.parse_args()

    files = iter(args.sets)
    sets = {
        stage: ([*read_jsonl(train), *read_jsonl(dev)], read_table(rejects, REJECTS))
        for stage, train, dev, rejects in zip(args.stages, files, files, files, strict=True)
    }
    counts = funnel(
        read_table(args.problems, PROBLEMS),
        explore.up_to_round(read_tables(args.trials, TRIALS), args.rounds),
        read_table(args.candidates, CANDIDATES),
        read_table(args.candidate_rejects, REJECTS),
        read_table(args.optimal, OPTIMAL),
        sets,
    )
    write_json(args.counts, counts)


if __name__ == "__main__":
    run(main)
