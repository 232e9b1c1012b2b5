"""Measure what became of the hard questions in one training set."""

from __future__ import annotations

import argparse

from bestpath.core.io import read_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, read_tables, write_table
from bestpath.methods.gsi.tables import GRADED, PERPLEXITIES, QUESTIONS, SAMPLED, TAIL
from bestpath.methods.gsi.tail import groups_of, tail
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--train", required=True, help="the training set")
    parser.add_argument("--references", required=True, help="the first training set")
    parser.add_argument("--perplexities", required=True)
    parser.add_argument(
        "--first", nargs="*", default=[], help="graded plain answers of iteration 0, for pools without levels"
    )
    parser.add_argument("--sampled", nargs="?", help="what became of every draw; none for the references themselves")
    parser.add_argument("--questions", nargs="?", help="what became of every question")
    parser.add_argument("--tail", required=True, help="output: one number a row")
    args = parser.parse_args()

    pool = [row for row in read_table(args.problems, PROBLEMS) if row["split"] == "train"]
    groups = groups_of(pool, read_tables(args.first, GRADED))
    perplexities = [row["perplexity"] for row in read_table(args.perplexities, PERPLEXITIES)]
    sampled = read_table(args.sampled, SAMPLED) if args.sampled else []
    questions = read_table(args.questions, QUESTIONS) if args.questions else []
    rows = tail(read_jsonl(args.train), read_jsonl(args.references), sampled, questions, groups, perplexities)
    tables = [path for path in (args.sampled, args.questions) if path]
    inputs = [args.problems, args.train, args.references, args.perplexities, *args.first, *tables]
    write_table(args.tail, TAIL, rows, origin_of("gsi_tail", vars(args), inputs).digests)


if __name__ == "__main__":
    run(main)
