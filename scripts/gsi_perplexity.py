"""Let the base say how probable it finds the completions of a training set."""

from __future__ import annotations

import argparse
import json
import math
from functools import partial
from pathlib import Path
from typing import cast

from bestpath.core.io import read_jsonl
from bestpath.core.provenance import origin_of
from bestpath.core.search import Message, Score, Scored, Search
from bestpath.core.tables import Row, write_table
from bestpath.methods.gsi.tables import PERPLEXITIES
from bestpath.runtime import resume
from bestpath.runtime.program import run
from bestpath.stages.generation.engines import open_scorer
from bestpath.stages.generation.run import run_searches


def perplexity(row: Row) -> Search[list[Row]]:
    """The perplexity of one training row's completion: exp of the mean negative log-likelihood of its tokens."""
    turns = tuple(Message(turn["role"], turn["content"]) for turn in [*row["prompt"], *row["completion"]])
    scored = cast(Scored, (yield [Score("base", turns, "likelihood")])[0])
    if scored.value is None:
        return []
    nll = -scored.value
    found = {"nll": nll, "n_tokens": scored.n_tokens, "perplexity": math.exp(nll / scored.n_tokens)}
    return [{"row": row["row"], "problem_id": row["problem_id"], **found}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="training rows")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the base")
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--work", type=Path, default=Path("results/.work/gsi_perplexity"), help="resume state")
    parser.add_argument("--perplexities", required=True, help="output: one number a row")
    args = parser.parse_args()

    engine = json.loads(args.engine)
    opened = partial(open_scorer, engine.pop("engine"), args.model.parent, "likelihood", **engine)
    rows = [{**row, "row": number} for number, row in enumerate(read_jsonl(args.train))]
    origin = origin_of("gsi_perplexity", vars(args), [args.train, args.model])
    work = args.work / origin.key
    searches = {str(row["row"]): partial(perplexity, row) for row in rows}
    found = run_searches(searches, None, "{}", work, origin.key, "perplexity", scorers={"base": opened})
    write_table(args.perplexities, PERPLEXITIES, (row for scored in found.values() for row in scored), origin.digests)
    resume.spend(work)


if __name__ == "__main__":
    run(main)
