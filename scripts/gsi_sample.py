"""Draw the plain answers of one shard with the model of an iteration."""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import chain

from bestpath.core import prompts
from bestpath.core.problems import PROBLEMS, pool_of
from bestpath.core.tables import read_table
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.sample import SampleRules, draw
from bestpath.methods.gsi.tables import DRAWS
from bestpath.runtime.earlier import Earlier
from bestpath.runtime.program import run
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import isolation_option, sampling_options, shard_options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sampling_options(parser, "gsi_sample")
    shard_options(parser)
    isolation_option(parser)  # programs that cannot be run later need not be drawn
    parser.add_argument("--prompt", required=True, help="the plain prompt")
    parser.add_argument("--t", type=int, required=True, help="the iteration")
    parser.add_argument("--rules", required=True, help="settings of the plain phase, as JSON")
    parser.add_argument("--draws", required=True, help="output: the answers")
    args = parser.parse_args()

    rules = SampleRules.of(json.loads(args.rules), args.seed, args.t)
    prompt = prompts.load(args.prompt, PROMPT_FIELDS["plain"])
    label = f"draw at iteration {args.t}, shard {args.shard}"
    job = SearchJob.of("gsi_sample", args, [args.problems, args.prompt], label)
    earlier = Earlier.of(args.work, job.origin, ["n_init"], DRAWS)
    searches = {
        row["problem_id"]: partial(draw, row, rules, prompt, earlier.rows.get(row["problem_id"], ()))
        for row in pool_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size)
    }
    rows = list(chain.from_iterable(job.run(searches, isolation=args.isolation).values()))
    earlier.keep(rows)
    job.finish(args.draws, DRAWS, rows)


if __name__ == "__main__":
    run(main)
