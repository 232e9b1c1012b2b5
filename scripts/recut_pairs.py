"""Build one set of preference pairs: the optimal path against longer or against wrong candidates."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.io import write_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS
from bestpath.core.tables import read_table, write_table
from bestpath.core.tokens import prompt_counter
from bestpath.core.training_rows import TrainPrompt, split_dev
from bestpath.methods.recut import pairs
from bestpath.methods.recut.explore import WHOLE_FIELDS
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=["length", "accuracy", "union"], required=True)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--optimal", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--prompt", required=True, help="the neutral prompt")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model to train")
    parser.add_argument("--writer", required=True, help="the model that wrote the candidates")
    parser.add_argument("--rules", required=True, help="settings of the pairs, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--train", required=True, help="output: pairs of the training problems")
    parser.add_argument("--dev", required=True, help="output: pairs of the dev problems")
    parser.add_argument("--rejects", required=True, help="output: problems without a pair and candidates not used")
    args = parser.parse_args()

    settings = json.loads(args.rules)
    neutral = prompts.load(args.prompt, WHOLE_FIELDS)
    prompt = TrainPrompt(settings.pop("train_prompt"), neutral, prompt_counter(args.model.parent))
    names = ("length", "accuracy") if args.set == "union" else (args.set,)
    rejected = {name: settings.pop(f"{name}_rejected") for name in names}
    rules = pairs.PairRules(seed=args.seed, rejected=rejected, **settings)
    optimal = read_table(args.optimal, OPTIMAL)
    candidates = read_table(args.candidates, CANDIDATES)
    sets = [pairs.build(name, optimal, candidates, prompt, rules) for name in names]
    made = pairs.union(*(rows for rows, _ in sets)) if args.set == "union" else sets[0][0]
    rejects = [row for _, of_set in sets for row in of_set.rows]
    train, dev = split_dev(({**row, "writer": args.writer} for row in made), read_table(args.problems, PROBLEMS))
    pairs.check_enough(args.set, train, rejects, optimal, rules)

    origin = origin_of(
        "recut_pairs", vars(args), [args.candidates, args.optimal, args.problems, args.prompt, args.model]
    )
    write_jsonl(args.train, train)
    write_jsonl(args.dev, dev)
    write_table(args.rejects, REJECTS, rejects, origin.digests)


if __name__ == "__main__":
    run(main)
