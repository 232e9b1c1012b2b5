"""Grade the plain answers of one shard. Grading again never draws again."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from bestpath.answers.sandbox import Sandbox
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import Row, read_table, write_table
from bestpath.methods.gsi.sample import grade
from bestpath.methods.gsi.tables import DRAWS, GRADED
from bestpath.runtime import resume
from bestpath.runtime.program import run
from bestpath.stages.generation.run import run_searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--rules", required=True, help="mode, verifier and the weakest isolation of programs, as JSON")
    parser.add_argument("--work", type=Path, default=Path("results/.work/gsi_grade"), help="resume state")
    parser.add_argument("--graded", required=True, help="output: the answers and their verdicts")
    args = parser.parse_args()

    rules = json.loads(args.rules)
    problems = {row["problem_id"]: row for row in read_table(args.problems, PROBLEMS)}
    drawn: dict[str, list[Row]] = {}
    for row in read_table(args.draws, DRAWS):
        drawn.setdefault(row["problem_id"], []).append(row)
    searches = {
        name: partial(grade, problems[name], rows, rules["mode"], rules["verifier"]) for name, rows in drawn.items()
    }
    origin = origin_of("gsi_grade", vars(args), [args.draws, args.problems])
    work = args.work / origin.key
    sandbox = partial(Sandbox, min_level=rules["min_level"]) if rules["mode"] == "pot" else None
    found = run_searches(searches, None, "{}", work, origin.key, "grade", sandbox=sandbox)
    write_table(args.graded, GRADED, (row for rows in found.values() for row in rows), origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
