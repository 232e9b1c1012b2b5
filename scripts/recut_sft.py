"""Build the SFT set of the supervised baselines: optimal paths, or every correct whole sample."""

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
from bestpath.methods.recut import sft
from bestpath.methods.recut.explore import WHOLE_FIELDS
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--optimal", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--prompt", required=True, help="the neutral prompt")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the model to train")
    parser.add_argument("--writer", required=True, help="the model that wrote the candidates")
    parser.add_argument("--rules", required=True, help="settings of the training rows, as JSON")
    parser.add_argument("--strategy", choices=["stepwise", "whole"], required=True, help="how the trace was drawn")
    parser.add_argument("--train", required=True, help="output: rows of the training problems")
    parser.add_argument("--dev", required=True, help="output: rows of the dev problems")
    parser.add_argument("--rejects", required=True, help="output: problems without a row")
    args = parser.parse_args()

    rules = json.loads(args.rules)
    neutral = prompts.load(args.prompt, WHOLE_FIELDS)
    prompt = TrainPrompt(rules["train_prompt"], neutral, prompt_counter(args.model.parent))
    optimal = read_table(args.optimal, OPTIMAL)
    if args.strategy == "whole":
        candidates = read_table(args.candidates, CANDIDATES)
        rows, rejects = sft.rejection_sampling(optimal, candidates, prompt, rules["max_length"])
    else:
        rows, rejects = sft.shortest(optimal, prompt, rules["max_length"])
    train, dev = split_dev(({**row, "writer": args.writer} for row in rows), read_table(args.problems, PROBLEMS))

    origin = origin_of("recut_sft", vars(args), [args.candidates, args.optimal, args.problems, args.prompt, args.model])
    write_jsonl(args.train, train)
    write_jsonl(args.dev, dev)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
