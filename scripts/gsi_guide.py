"""Ask the questions of one shard again that are short of correct answers, with help, and grade what comes."""

from __future__ import annotations

import argparse
import json
import shutil
from functools import partial
from itertools import chain

from bestpath.answers.grading import Grader
from bestpath.core import prompts
from bestpath.core.errors import UserError
from bestpath.core.problems import PROBLEMS, by_problem, pool_of
from bestpath.core.tables import read_table
from bestpath.core.tokens import TextTokenizer
from bestpath.methods.gsi.guidance import Guidance
from bestpath.methods.gsi.guide import BUDGET, GuideRules, check_done, guide
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.tables import GRADED
from bestpath.runtime.earlier import Earlier
from bestpath.runtime.program import run
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import (
    by_name,
    isolation_option,
    sampling_options,
    sandbox_modules,
    shard_options,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sampling_options(parser, "gsi_guide")
    shard_options(parser)
    isolation_option(parser)
    parser.add_argument("--plain", required=True, help="the graded plain answers of the shard")
    parser.add_argument("--prompts", nargs="+", required=True, metavar="ROLE=PROMPT")
    parser.add_argument("--t", type=int, required=True, help="the iteration")
    parser.add_argument("--rules", required=True, help="settings of both phases, as JSON")
    parser.add_argument("--graded", required=True, help="output: the further answers and their verdicts")
    args = parser.parse_args()

    settings, files = json.loads(args.rules), by_name(args.prompts)
    label = f"{settings['strategy']} at iteration {args.t}, shard {args.shard}"
    inputs = [args.problems, args.plain, *files.values()]
    job = SearchJob.of("gsi_guide", args, inputs, label, modules=sandbox_modules(args.isolation))
    rules = GuideRules.of(settings, args.seed, args.t)
    help_prompts = {role: prompts.load(path, PROMPT_FIELDS[role]) for role, path in files.items()}
    guidance_of = partial(Guidance.of, settings, help_prompts, TextTokenizer(job.models["actor"]))
    earlier = Earlier.of(args.work, job.origin, BUDGET, GRADED)
    plain = by_problem(read_table(args.plain, GRADED))
    searches = {}
    for row in pool_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size):
        name, guidance = row["problem_id"], guidance_of(row["dataset"])
        searches[name] = partial(guide, row, rules, guidance, plain[name], earlier.rows.get(name, ()))
    found = job.run(searches, grader=Grader, isolation=args.isolation)
    rows = list(chain.from_iterable(found.values()))
    earlier.keep(row for row in rows if row["verdict"] != "not_done")
    try:
        check_done(rows, settings["teacher"]["max_not_done"])
    except UserError:
        shutil.rmtree(job.work)  # its journal holds the failures; what was drawn is kept
        raise
    job.finish(args.graded, GRADED, rows)


if __name__ == "__main__":
    run(main)
