"""Read and normalise the problems of one evaluation set."""

from __future__ import annotations

import argparse
import json

from bestpath.answers.equivalence import check_gold
from bestpath.core import sources
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS, Rejects, check_nothing_lost
from bestpath.core.tables import write_table
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="settings of the source, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--max-bad", type=float, required=True)
    parser.add_argument("--problems", required=True, help="output: the problems")
    parser.add_argument("--rejects", required=True, help="output: the rows rejected")
    args = parser.parse_args()

    source = sources.Source.of(json.loads(args.source))
    rejects = Rejects("problems")
    rows, n_raw = sources.read(source, check_gold, args.max_bad, rejects)
    rows = sources.draw(rows, source.n, args.seed, rejects)
    check_nothing_lost("problems", n_raw, len(rows), rejects)
    sources.check_any(rows, source.dataset, rejects)

    origin = origin_of("problems_test", vars(args), [source.file] if source.file else [])
    write_table(args.problems, PROBLEMS, [{**row, "split": "test"} for row in rows], origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
