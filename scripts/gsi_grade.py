"""Grade the plain answers of one shard. Grading again never draws again."""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import chain

from bestpath.answers.grading import Grader
from bestpath.core.problems import PROBLEMS, by_problem
from bestpath.core.tables import read_table
from bestpath.methods.gsi.grade import grade
from bestpath.methods.gsi.tables import DRAWS, GRADED
from bestpath.runtime.program import run
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import isolation_option, sandbox_modules, work_option


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--rules", required=True, help="mode and verifier, as JSON")
    isolation_option(parser)
    work_option(parser, "gsi_grade")
    parser.add_argument("--graded", required=True, help="output: the answers and their verdicts")
    args = parser.parse_args()

    rules = json.loads(args.rules)
    problems = {row["problem_id"]: row for row in read_table(args.problems, PROBLEMS)}
    searches = {
        name: partial(grade, problems[name], rows, rules["mode"], rules["verifier"])
        for name, rows in by_problem(read_table(args.draws, DRAWS)).items()
    }
    modules = sandbox_modules(args.isolation)
    job = SearchJob.of("gsi_grade", args, [args.draws, args.problems], "grade", modules=modules)
    found = job.run(searches, grader=Grader, isolation=args.isolation)
    job.finish(args.graded, GRADED, chain.from_iterable(found.values()))


if __name__ == "__main__":
    run(main)
