"""Answer the problems of one set with one system, under every decoding."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.search import Sampling
from bestpath.core.tables import read_table, write_table
from bestpath.runtime import resume
from bestpath.runtime.program import run
from bestpath.stages.evaluation.answering import answer
from bestpath.stages.evaluation.tables import SAMPLES
from bestpath.stages.generation.run import run_searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--part", choices=["dev", "all"], required=True, help="which of the problems")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model")
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--decodings", required=True, help="temperature, top_p, top_k and samples by name, as JSON")
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--limits", default="{}", help="settings of the engine on which no answer depends, as JSON")
    parser.add_argument("--max-tokens", type=int, required=True, help="longest completion")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--label", required=True, help="what the progress is of")
    parser.add_argument("--work", type=Path, default=Path("results/.work/evaluate_sample"), help="resume state")
    parser.add_argument("--samples", required=True, help="output: the answers")
    parser.add_argument("--usage", type=Path, required=True, help="output: what the completions cost")
    args = parser.parse_args()

    decodings = {}
    for name, values in json.loads(args.decodings).items():
        samples = values.pop("samples")
        decodings[name] = (Sampling(**values, max_tokens=args.max_tokens), samples)
    prompt = prompts.load(args.prompt, ("problem", "previous", "step"))
    problems = [row for row in read_table(args.problems, PROBLEMS) if args.part in {"all", row["split"]}]
    searches = {row["problem_id"]: partial(answer, row, prompt, decodings, args.seed) for row in problems}
    origin = origin_of("evaluate_sample", vars(args), [args.problems, args.model, args.prompt])
    work = args.work / origin.key
    found = run_searches(
        searches, args.model.parent, args.engine, work, origin.key, args.label, args.limits, args.usage
    )
    write_table(args.samples, SAMPLES, (row for rows in found.values() for row in rows), origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
