"""Assemble every complete trajectory of a ReCUT trace; reject duplicates and what cannot be judged."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from bestpath.answers.grading import Grader
from bestpath.core.problems import PROBLEMS, choices_of
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS
from bestpath.core.search import Grade, Verdict
from bestpath.core.tables import read_table, read_tables, write_table
from bestpath.core.tokens import text_counter
from bestpath.methods.recut import candidates, explore
from bestpath.methods.recut.tables import CANDIDATES, TRIALS
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", nargs="+", required=True, help="the shards of the trace")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model that explored")
    parser.add_argument("--rules", required=True, help="rounds, verifier and length_unit, as JSON")
    parser.add_argument("--stop-rule", required=True)
    parser.add_argument("--candidates", required=True, help="output: the candidates")
    parser.add_argument("--rejects", required=True, help="output: the trials that are none")
    args = parser.parse_args()

    rules = json.loads(args.rules)
    trials = read_tables(args.trials, TRIALS)
    if rules["rounds"]:
        trials = explore.up_to_round(trials, rules["rounds"])
    problems = {row["problem_id"]: row for row in read_table(args.problems, PROBLEMS)}
    released = args.stop_rule == "boxed_in_step"
    exact = rules["verifier"] == "exact"

    with Grader() as grader:

        def verdict(problem_id: str, text: str) -> Verdict:
            problem = problems[problem_id]
            kind = "exact" if exact else problem["kind"]
            given = grader.grade([Grade(text, problem["answer"], kind, choices_of(problem))])[0]
            # the damage of string equality is what its variant shows, so a laxer look must not mend it
            return replace(given, loosely_equal=False) if exact else given

        made, rejects = candidates.collect(
            trials,
            text_counter(args.model.parent),
            verdict_of=verdict if exact or released else None,
            greedy_path=released,
        )
    origin = origin_of("recut_candidates", vars(args), [*args.trials, args.problems, args.model])
    write_table(args.candidates, CANDIDATES, made, origin.digests)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
