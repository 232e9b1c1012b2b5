"""Grade a system's answers."""

from __future__ import annotations

import argparse

from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.grading import grade
from bestpath.stages.evaluation.readers import modules_of
from bestpath.stages.evaluation.tables import SAMPLES, SCORES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--reader", choices=["text", "program"], default="text", help="how an output becomes an answer")
    parser.add_argument(
        "--isolation", nargs="?", const="", default="", help="the weakest isolation in which programs may run"
    )
    parser.add_argument("--scores", required=True, help="output: the verdicts")
    args = parser.parse_args()

    samples, problems = read_table(args.samples, SAMPLES), read_table(args.problems, PROBLEMS)
    origin = origin_of("evaluate_grade", vars(args), [args.samples, args.problems], modules_of(args.reader))
    write_table(args.scores, SCORES, grade(samples, problems, args.reader, args.isolation), origin.digests)


if __name__ == "__main__":
    run(main)
