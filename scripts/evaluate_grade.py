"""Grade a system's answers."""

from __future__ import annotations

import argparse

from bestpath.answers.grading import Grader
from bestpath.problems import choices_of
from bestpath.program import run
from bestpath.provenance import origin_of
from bestpath.records import PROBLEMS, SAMPLES, SCORES, read_table, write_table
from bestpath.search import Grade


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--scores", required=True, help="output: the verdicts")
    args = parser.parse_args()

    problems = {row["problem_id"]: row for row in read_table(args.problems, PROBLEMS)}
    samples = read_table(args.samples, SAMPLES)
    asked = []
    for sample in samples:
        problem = problems[sample["problem_id"]]
        asked.append(Grade(sample["text"], problem["answer"], problem["kind"], choices_of(problem)))
    with Grader() as grader:
        verdicts = grader.grade(asked)
    kept = ("problem_id", "sample_id", "decoding", "n_tokens", "finish_reason")
    rows = [
        {**{name: sample[name] for name in kept}, "answer": v.answer, "verdict": v.outcome, "rule": v.rule}
        for sample, v in zip(samples, verdicts, strict=True)
    ]
    origin = origin_of("evaluate_grade", vars(args), [args.samples, args.problems])
    write_table(args.scores, SCORES, rows, origin.digests)


if __name__ == "__main__":
    run(main)
