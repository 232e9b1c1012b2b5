"""Train one specialist at one learning rate; keep the checkpoint that the dev split chooses."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from functools import partial
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.io import read_jsonl, write_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS, Rejects
from bestpath.core.search import Sampling
from bestpath.core.tables import Row, read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.answering import answer, grade
from bestpath.stages.evaluation.metrics import measure
from bestpath.stages.generation.run import run_searches
from bestpath.stages.training import processes
from bestpath.stages.training.choice import Readout
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.train import train


def read_out(
    folder: Path, step: int, problems: list[Row], prompt: prompts.Prompt, args: argparse.Namespace, work: Path, key: str
) -> Readout:
    """Let a checkpoint answer the dev problems greedily, and grade its answers."""
    decodings = {"greedy": (Sampling(max_tokens=args.max_tokens), 1)}
    searches = {row["problem_id"]: partial(answer, row, prompt, decodings, args.seed) for row in problems}
    found = run_searches(
        searches, folder, args.engine, work / f"readout-{step}", key, f"{args.label}, dev at step {step}"
    )
    measured = measure({0: grade([row for rows in found.values() for row in rows], problems)})
    return Readout(measured.accuracy, measured.tokens or 0.0, measured.problems)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="manifest of the model to train")
    parser.add_argument("--train", required=True, help="training rows")
    parser.add_argument("--dev", required=True, help="dev rows, for the losses")
    parser.add_argument("--problems", required=True, help="problems, whose dev split the checkpoints are read out on")
    parser.add_argument(
        "--no-readout", action="store_true", help="train to the end, without a look at the dev problems"
    )
    parser.add_argument("--prompt", required=True, help="the neutral prompt")
    parser.add_argument("--reference", default="", help="reference log-probabilities of the rows, for DPO")
    parser.add_argument("--recipe", required=True, help="settings of the training, as JSON")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--engine", required=True, help="settings of the engine, as JSON")
    parser.add_argument("--criterion", choices=["length", "accuracy", "last"], required=True)
    parser.add_argument("--max-tokens", type=int, required=True, help="longest completion of a readout")
    parser.add_argument("--label", required=True, help="what the progress is of")
    parser.add_argument("--work", type=Path, default=Path("results/.work/train_specialist"), help="resume state")
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the trained model")
    parser.add_argument("--metrics", required=True, help="output: losses, readouts and the choice")
    parser.add_argument("--rejects", required=True, help="output: rows that could not be trained on")
    args = parser.parse_args()

    if json.loads(args.engine)["device"] == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # training follows: torch takes any GPU that it sees

    inputs = [args.start, args.train, args.dev, args.problems, args.prompt]
    origin = origin_of("train_specialist", vars(args), inputs)
    work = args.work / origin.key
    prompt = prompts.load(args.prompt, ("problem",))
    dev = [row for row in read_table(args.problems, PROBLEMS) if row["split"] == "dev"]
    rejects = Rejects("training")
    trained = train(
        Recipe(learning_rate=args.learning_rate, seed=args.seed, **json.loads(args.recipe)),
        args.start.parent,
        read_jsonl(args.train),
        read_jsonl(args.dev),
        args.model.parent,
        work / "checkpoints",
        rejects=rejects,
        criterion=args.criterion,
        readout=None
        if args.no_readout
        else partial(read_out, problems=dev, prompt=prompt, args=args, work=work, key=origin.key),
        reference=Path(args.reference) if args.reference else None,
        label=args.label,
    )
    if not processes.is_first():
        return
    write_jsonl(args.metrics, trained.metrics)
    write_table(args.rejects, REJECTS, rejects.rows, origin.digests)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    run(main)
