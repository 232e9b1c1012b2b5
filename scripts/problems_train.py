"""Read the training problems, keep them apart from every evaluation set, and split off the dev problems."""

from __future__ import annotations

import argparse
import json

from bestpath import problems
from bestpath.answers.equivalence import check_gold
from bestpath.program import run
from bestpath.provenance import origin_of
from bestpath.records import PROBLEMS, REJECTS, Rejects, check_nothing_lost, read_table, write_table


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

    sources = [problems.Source.of(settings) for settings in json.loads(args.sources)]
    tests = [row for path in args.tests for row in read_table(path, PROBLEMS)]
    rejects = Rejects("problems")
    drawn, n_raw = [], 0
    for source in sources:
        rows, n = problems.read(source, check_gold, args.max_bad, rejects)
        rows = problems.decontaminate(rows, tests, args.ngram, rejects)
        drawn.append(problems.draw(rows, source.n, args.seed, rejects))
        problems.check_any(drawn[-1], source.dataset, rejects)
        n_raw += n
    rows = problems.together(drawn, rejects)
    check_nothing_lost("problems", n_raw, len(rows), rejects)
    rows = problems.split_dev(rows, args.dev_fraction, args.seed)

    origin = origin_of("problems_train", vars(args), [*(source.file for source in sources if source.file), *args.tests])
    write_table(args.problems, PROBLEMS, rows, origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
