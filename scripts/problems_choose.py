"""Take those of the training problems that a method trains on."""

from __future__ import annotations

import argparse

from bestpath.core.errors import UserError
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", required=True, help="all training problems")
    parser.add_argument("--datasets", nargs="+", required=True, help="the data sets to take")
    parser.add_argument("--problems", required=True, help="output: their problems")
    args = parser.parse_args()

    rows = [row for row in read_table(args.all, PROBLEMS) if row["dataset"] in args.datasets]
    if not rows:
        raise UserError(f"no training problem is of the data sets {', '.join(args.datasets)}; correct train_on")
    write_table(args.problems, PROBLEMS, rows, origin_of("problems_choose", vars(args), [args.all]).digests)


if __name__ == "__main__":
    run(main)
