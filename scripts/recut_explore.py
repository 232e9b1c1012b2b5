"""Explore the problems of one shard with ReCUT: long against short, step by step."""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import chain

from bestpath.answers.grading import Grader
from bestpath.core import prompts
from bestpath.core.problems import PROBLEMS, shard_of
from bestpath.core.tables import read_table
from bestpath.methods.recut.explore import STEPWISE_FIELDS, WHOLE_FIELDS, ExploreRules, explore, sample_whole
from bestpath.methods.recut.tables import TRIALS
from bestpath.runtime.program import run
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import sampling_options, shard_options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sampling_options(parser, "recut_explore")
    shard_options(parser)
    parser.add_argument("--long", required=True, help="prompt that asks for long steps")
    parser.add_argument("--short", required=True, help="prompt that asks for short steps")
    parser.add_argument("--neutral", required=True, help="prompt for whole solutions")
    parser.add_argument("--rules", required=True, help="settings of the exploration, as JSON")
    parser.add_argument("--trials", required=True, help="output: every completion")
    args = parser.parse_args()

    settings = json.loads(args.rules)
    whole = settings.pop("strategy") == "whole"
    rules = ExploreRules(seed=args.seed, **{**settings, "modes": tuple(settings["modes"])})
    stepwise = {mode: prompts.load(getattr(args, mode), STEPWISE_FIELDS) for mode in ("long", "short")}
    neutral = prompts.load(args.neutral, WHOLE_FIELDS)
    searches = {
        row["problem_id"]: partial(sample_whole, row, rules, neutral, rules.samples_per_mode)
        if whole
        else partial(explore, row, rules, stepwise)
        for row in shard_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size)
    }
    inputs = [args.problems, args.long, args.short, args.neutral]
    job = SearchJob.of("recut_explore", args, inputs, f"explore shard {args.shard}")
    found = job.run(searches, grader=Grader)
    job.finish(args.trials, TRIALS, chain.from_iterable(found.values()))


if __name__ == "__main__":
    run(main)
