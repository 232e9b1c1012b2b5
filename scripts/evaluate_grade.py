"""Grade a system's answers."""

from __future__ import annotations

import argparse

from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.answering import grade, printed
from bestpath.stages.evaluation.tables import SAMPLES, SCORES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument(
        "--min-level", default="", help="the answers are programs; the weakest isolation they may run in"
    )
    parser.add_argument("--scores", required=True, help="output: the verdicts")
    args = parser.parse_args()

    samples = read_table(args.samples, SAMPLES)
    if args.min_level:
        samples = printed(samples, args.min_level)
    scores = grade(samples, read_table(args.problems, PROBLEMS))
    origin = origin_of("evaluate_grade", vars(args), [args.samples, args.problems])
    write_table(args.scores, SCORES, scores, origin.digests)


if __name__ == "__main__":
    run(main)
