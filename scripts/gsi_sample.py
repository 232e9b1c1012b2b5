"""Draw the plain answers of one shard with the model of an iteration."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from bestpath.answers.sandbox import best_level
from bestpath.core import prompts
from bestpath.core.problems import PROBLEMS, pool_of
from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.methods.gsi.guidance import PROMPT_FIELDS
from bestpath.methods.gsi.sample import SampleRules, draw
from bestpath.methods.gsi.tables import DRAWS
from bestpath.runtime import earlier, resume
from bestpath.runtime.program import run
from bestpath.stages.generation.run import run_searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model of iteration t")
    parser.add_argument("--prompt", required=True, help="the plain prompt")
    parser.add_argument("--t", type=int, required=True, help="the iteration")
    parser.add_argument("--rules", required=True, help="settings of the plain phase, as JSON")
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/.work/gsi_sample"), help="resume state")
    parser.add_argument("--draws", required=True, help="output: the answers")
    parser.add_argument("--usage", type=Path, required=True, help="output: what they cost")
    args = parser.parse_args()

    settings = json.loads(args.rules)
    min_level = settings.pop("min_level")
    if settings["mode"] == "pot":
        best_level(min_level)  # programs that cannot be run later need not be drawn
    rules = SampleRules(seed=args.seed, t=args.t, **settings)
    prompt = prompts.load(args.prompt, PROMPT_FIELDS["plain"])
    problems = pool_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size)
    origin = origin_of("gsi_sample", vars(args), [args.problems, args.model, args.prompt])
    key = earlier.budget_free(origin, ["n_init"], argument="rules", rules=settings)
    kept = args.work / "drawn" / f"{key}.parquet"
    known = earlier.drawn(kept, DRAWS)
    searches = {
        row["problem_id"]: partial(draw, row, rules, prompt, known.get(row["problem_id"], ())) for row in problems
    }
    work = args.work / origin.key
    label = f"draw at iteration {args.t}, shard {args.shard}"
    found = run_searches(searches, args.model.parent, args.engine, work, origin.key, label, usage=args.usage)
    rows = [row for drawn in found.values() for row in drawn]
    earlier.keep(kept, DRAWS, known, rows)
    write_table(args.draws, DRAWS, rows, origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
