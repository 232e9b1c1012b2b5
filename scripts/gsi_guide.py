"""Ask the questions of one shard again that are short of correct answers, with help, and grade what comes."""

from __future__ import annotations

import argparse
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from bestpath.answers.sandbox import Sandbox
from bestpath.core import prompts
from bestpath.core.errors import UserError
from bestpath.core.problems import PROBLEMS, pool_of
from bestpath.core.provenance import origin_of
from bestpath.core.search import Sampling
from bestpath.core.tables import Row, read_table, write_table
from bestpath.core.tokens import TextTokenizer
from bestpath.methods.gsi.guidance import PROMPT_FIELDS, Guidance
from bestpath.methods.gsi.prefixes import CutRules
from bestpath.methods.gsi.sample import SampleRules, check_done, guide
from bestpath.methods.gsi.tables import GRADED
from bestpath.runtime import earlier, resume
from bestpath.runtime.program import run
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.run import run_searches

BUDGET = ("k", "rounds", "wanted", "count_repeats")


def guidance_of(settings: dict[str, Any], paths: list[str], tokenizer: TextTokenizer, dataset: str) -> Guidance:
    """The strategy for one data set, from the settings and the prompts of its roles (`role=path`)."""
    roles = dict(entry.split("=", 1) for entry in paths)
    teacher = settings["teacher"]
    cut = CutRules(
        settings["prefix_units"].get(dataset, settings["prefix_unit"]),
        settings["reveal_answer"],
        settings["keep_last_step_hidden"],
        settings["max_reveal"],
    )
    return Guidance(
        settings["strategy"],
        {role: prompts.load(path, PROMPT_FIELDS[role]) for role, path in roles.items()},
        tokenizer,
        cut,
        settings["without_reference"],
        Sampling(teacher["temperature"], teacher["top_p"], max_tokens=teacher["max_tokens"]),
        teacher["attempts"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--plain", required=True, help="the graded plain answers of the shard")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model of iteration t")
    parser.add_argument("--base", type=Path, required=True, help="manifest of the base, the teacher if no endpoint is")
    parser.add_argument("--prompts", nargs="+", required=True, help="role=prompt")
    parser.add_argument("--t", type=int, required=True, help="the iteration")
    parser.add_argument("--rules", required=True, help="settings of both phases, as JSON")
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--teacher", default="", help="settings of the teacher's engine, as JSON")
    parser.add_argument("--limits", default="{}", help="settings of the teacher on which no answer depends, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/.work/gsi_guide"), help="resume state")
    parser.add_argument("--graded", required=True, help="output: the further answers and their verdicts")
    parser.add_argument("--usage", type=Path, required=True, help="output: what they cost")
    args = parser.parse_args()

    settings = json.loads(args.rules)
    names = SampleRules.__dataclass_fields__.keys() & settings
    rules = SampleRules(seed=args.seed, t=args.t, **{name: settings[name] for name in names})
    tokenizer = TextTokenizer(args.model.parent)
    inputs = [args.problems, args.plain, args.model, args.base, *(entry.split("=", 1)[1] for entry in args.prompts)]
    origin = origin_of("gsi_guide", vars(args), inputs)
    key = earlier.budget_free(origin, BUDGET, argument="rules", rules=settings)
    kept = args.work / "drawn" / f"{key}.parquet"
    known = earlier.drawn(kept, GRADED)
    plain: dict[str, list[Row]] = {}
    for row in read_table(args.plain, GRADED):
        plain.setdefault(row["problem_id"], []).append(row)
    problems = pool_of(read_table(args.problems, PROBLEMS), args.shard, args.shard_size)
    by_set = {
        name: guidance_of(settings, args.prompts, tokenizer, name) for name in {row["dataset"] for row in problems}
    }
    searches = {}
    for row in problems:
        name = row["problem_id"]
        searches[name] = partial(guide, row, rules, by_set[row["dataset"]], plain[name], known.get(name, ()))
    others = {}
    if args.teacher:
        engine = json.loads(args.teacher)
        others["teacher"] = partial(
            open_engine,
            engine.pop("engine"),
            args.base.parent,
            limits=json.loads(args.limits),
            job=origin.key,
            **engine,
        )
    sandbox = partial(Sandbox, min_level=settings["min_level"]) if rules.mode == "pot" else None
    work = args.work / origin.key
    label = f"{settings['strategy']} at iteration {args.t}, shard {args.shard}"
    found = run_searches(
        searches,
        args.model.parent,
        args.engine,
        work,
        origin.key,
        label,
        usage=args.usage,
        sandbox=sandbox,
        others=others,
    )
    rows = [row for guided in found.values() for row in guided]
    earlier.keep(kept, GRADED, known, (row for row in rows if row["verdict"] != "not_done"))
    try:
        check_done(rows, settings["teacher"]["max_not_done"])
    except UserError:
        shutil.rmtree(work)  # its journal holds the failures; what was drawn is kept
        raise
    write_table(args.graded, GRADED, rows, origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
