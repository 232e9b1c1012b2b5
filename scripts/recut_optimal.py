"""Choose the optimal path of every problem: its shortest correct candidate."""

from __future__ import annotations

import argparse

from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS, Rejects
from bestpath.core.tables import read_table, write_table
from bestpath.methods.recut import optimal
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--length-unit", choices=["tokens", "chars"], required=True)
    parser.add_argument("--optimal", required=True, help="output: the optimal path of every problem")
    parser.add_argument("--rejects", required=True, help="output: the unsolved problems")
    args = parser.parse_args()

    candidates = read_table(args.candidates, CANDIDATES)
    paths = optimal.select(read_table(args.problems, PROBLEMS), candidates, args.length_unit)
    suspects = {row["problem_id"]: row["candidates_say"] for row in optimal.suspect_gold(paths, candidates)}
    rejects = Rejects("optimal")
    for row in optimal.split_solved(paths)[1]:
        said = suspects.get(row["problem_id"])
        rejects.add(row["problem_id"], "unsolved", f"suspect gold: all candidates say {said}" if said else "")

    origin = origin_of("recut_optimal", vars(args), [args.candidates, args.problems])
    write_table(args.optimal, OPTIMAL, paths, origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
