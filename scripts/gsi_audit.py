"""Compare our verifier with the released one on the plain draws of iteration 0."""

from __future__ import annotations

import argparse

from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, read_tables, write_table
from bestpath.methods.gsi import released_verifier
from bestpath.methods.gsi.tables import AUDIT, GRADED
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graded", nargs="+", required=True, help="graded plain answers")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--audit", required=True, help="output: both verdicts on every answer")
    args = parser.parse_args()

    problems = {row["problem_id"]: row for row in read_table(args.problems, PROBLEMS)}
    rows = []
    for draw in read_tables(args.graded, GRADED):
        problem = problems[draw["problem_id"]]
        text = draw["text"] if draw["output"] is None else f"The answer is {draw['output'].strip()}"
        released = released_verifier.verdict(text, problem["answer"], problem["dataset"], problem["kind"])
        own = {name: draw[name] for name in ("problem_id", "draw_id", "answer", "verdict")}
        found = {"released_answer": released.answer or "", "released_correct": released.outcome == "correct"}
        rows.append({**own, "gold": problem["answer"], **found})
    write_table(args.audit, AUDIT, rows, origin_of("gsi_audit", vars(args), [*args.graded, args.problems]).digests)


if __name__ == "__main__":
    run(main)
