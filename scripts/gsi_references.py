"""Make the first training set of GSI: the references of the pool, and those of the dev problems for the losses."""

from __future__ import annotations

import argparse
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.io import write_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS
from bestpath.core.tables import read_table, write_table
from bestpath.core.training_rows import split_dev
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.select import references, signed
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--prompt", type=Path, required=True, help="the plain prompt")
    parser.add_argument("--train", required=True, help="output: training rows")
    parser.add_argument("--dev", required=True, help="output: rows of the dev problems")
    parser.add_argument("--rejects", required=True, help="output: problems without a reference")
    args = parser.parse_args()

    problems = read_table(args.problems, PROBLEMS)
    rows, rejects = references(problems, prompts.load(args.prompt, PROMPT_FIELDS["plain"]))
    train, dev = split_dev(signed(rows, problems), problems)
    write_jsonl(args.train, train)
    write_jsonl(args.dev, dev)
    origin = origin_of("gsi_references", vars(args), [args.problems, args.prompt])
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
