"""Read the training problems, keep them apart from every evaluation set, and split off the dev problems."""

from __future__ import annotations

import argparse

from bestpath import problems
from bestpath.answers.equivalence import check_gold
from bestpath.program import run
from bestpath.provenance import origin_of
from bestpath.records import PROBLEMS, REJECTS, Rejects, check_nothing_lost, read_table, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", required=True, help="local file; empty for a hub id")
    parser.add_argument("--tests", nargs="+", required=True, help="problems of the evaluation sets")
    parser.add_argument("--source", required=True, help="settings of the source, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--max-bad", type=float, required=True)
    parser.add_argument("--dev-fraction", type=float, required=True)
    parser.add_argument("--ngram", type=int, required=True, help="words in a row that contaminate; 0: off")
    parser.add_argument("--problems", required=True, help="output: the problems")
    parser.add_argument("--rejects", required=True, help="output: the rows rejected")
    args = parser.parse_args()

    source = problems.Source.parse(args.source)
    tests = [row for path in args.tests for row in read_table(path, PROBLEMS)]
    rejects = Rejects("problems")
    raw = problems.read_rows(args.file or source.path, source.subset, source.split)
    rows = problems.normalise(raw, source.fields, "train", source.kind, check_gold, rejects)
    problems.check_share_of_bad(len(raw), rejects, args.max_bad, "train")
    rows = problems.decontaminate(rows, tests, args.ngram, rejects)
    rows = problems.draw(rows, source.n, args.seed, rejects)
    check_nothing_lost("problems", len(raw), len(rows), rejects)
    problems.check_any(rows, "train", rejects)
    rows = problems.split_dev(rows, args.dev_fraction, args.seed)

    origin = origin_of("problems_train", vars(args), [*([args.file] if args.file else []), *args.tests])
    write_table(args.problems, PROBLEMS, rows, origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
