"""Read the training problems, keep them apart from every evaluation set, and split off the dev problems."""

from __future__ import annotations

import argparse
import json

from bestpath.answers.equivalence import check_gold
from bestpath.core import sources
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS, Rejects, check_nothing_lost
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", nargs="+", required=True, help="problems of the evaluation sets")
    parser.add_argument("--sources", required=True, help="settings of the data sets, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--max-bad", type=float, required=True)
    parser.add_argument("--dev-fraction", type=float, required=True)
    parser.add_argument("--ngram", type=int, required=True, help="words in a row that contaminate; 0: off")
    parser.add_argument("--problems", required=True, help="output: the problems")
    parser.add_argument("--rejects", required=True, help="output: the rows rejected")
    args = parser.parse_args()

    given = [sources.Source.of(settings) for settings in json.loads(args.sources)]
    tests = [row for path in args.tests for row in read_table(path, PROBLEMS)]
    rejects = Rejects("problems")
    drawn, n_raw = [], 0
    for source in given:
        rows, n = sources.read(source, check_gold, args.max_bad, rejects)
        rows = sources.decontaminate(rows, tests, args.ngram, rejects)
        drawn.append(sources.draw(rows, source.n, args.seed, rejects))
        sources.check_any(drawn[-1], source.dataset, rejects)
        n_raw += n
    rows = sources.together(drawn, rejects)
    check_nothing_lost("problems", n_raw, len(rows), rejects)
    rows = sources.split_dev(rows, args.dev_fraction, args.seed)

    origin = origin_of("problems_train", vars(args), [*(source.file for source in given if source.file), *args.tests])
    write_table(args.problems, PROBLEMS, rows, origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
