"""Explore the problems of one shard with ReCUT: long against short, step by step."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.problems import PROBLEMS, shard_of
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.methods.recut.explore import STEPWISE_FIELDS, WHOLE_FIELDS, ExploreRules, explore, sample_whole
from bestpath.methods.recut.tables import TRIALS
from bestpath.runtime import resume
from bestpath.runtime.program import run
from bestpath.stages.generation.run import run_searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model that explores")
    parser.add_argument("--long", required=True, help="prompt that asks for long steps")
    parser.add_argument("--short", required=True, help="prompt that asks for short steps")
    parser.add_argument("--neutral", required=True, help="prompt for whole solutions")
    parser.add_argument("--rules", required=True, help="settings of the exploration, as JSON")
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--limits", default="{}", help="settings of the engine on which no answer depends, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/.work/recut_explore"), help="resume state")
    parser.add_argument("--trials", required=True, help="output: every completion")
    parser.add_argument("--usage", type=Path, required=True, help="output: what the completions cost")
    args = parser.parse_args()

    settings = json.loads(args.rules)
    whole = settings.pop("strategy") == "whole"
    rules = ExploreRules(seed=args.seed, **{**settings, "modes": tuple(settings["modes"])})
    stepwise = {mode: prompts.load(getattr(args, mode), STEPWISE_FIELDS) for mode in ("long", "short")}
    neutral = prompts.load(args.neutral, WHOLE_FIELDS)
    problems = shard_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size)
    searches = {
        row["problem_id"]: partial(sample_whole, row, rules, neutral, rules.samples_per_mode)
        if whole
        else partial(explore, row, rules, stepwise)
        for row in problems
    }
    inputs = [args.problems, args.model, args.long, args.short, args.neutral]
    origin = origin_of("recut_explore", vars(args), inputs)
    work = args.work / origin.key
    label = f"explore shard {args.shard}"
    found = run_searches(searches, args.model.parent, args.engine, work, origin.key, label, args.limits, args.usage)
    write_table(args.trials, TRIALS, (trial for trials in found.values() for trial in trials), origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
