"""Train one specialist at one learning rate; keep the checkpoint that the dev split chooses."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

from bestpath.core import prompts
from bestpath.core.io import read_json, read_jsonl, write_json, write_jsonl
from bestpath.core.lineage import Lineage, after_training
from bestpath.core.models import LINEAGE
from bestpath.core.problems import PROBLEMS
from bestpath.core.rejects import REJECTS, Rejects
from bestpath.core.search import Sampling, Search
from bestpath.core.tables import Row, read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.answering import answer
from bestpath.stages.evaluation.grading import grade
from bestpath.stages.evaluation.metrics import measure
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import work_option
from bestpath.stages.training import processes
from bestpath.stages.training.choice import Readout
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.train import train


def read_out(
    folder: Path, step: int, job: SearchJob, ask: Callable[[Row], Search[list[Row]]], dev: list[Row]
) -> Readout:
    """Let a checkpoint answer the dev problems, and grade its answers."""
    part = job.part(f"readout-{step}", f"{job.label}, dev at step {step}", {"actor": folder})
    found = part.run({row["problem_id"]: partial(ask, row) for row in dev})
    measured = measure({0: grade(list(chain.from_iterable(found.values())), dev)})
    return Readout(measured.accuracy, measured.tokens or 0.0, measured.problems)


def start_of(args: argparse.Namespace) -> tuple[Lineage, str]:
    """The lineage and the name of the model that training started from."""
    beside = args.start.with_name(LINEAGE)
    record = read_json(beside) if beside.exists() else json.loads(args.base_lineage)
    return Lineage.of(record), args.start.parent.as_posix().partition("/models/")[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="manifest of the model to train")
    parser.add_argument("--train", required=True, help="training rows")
    parser.add_argument("--dev", required=True, help="dev rows, for the losses")
    parser.add_argument("--problems", required=True, help="problems, whose dev split the checkpoints are read out on")
    parser.add_argument("--readout", choices=["yes", "no"], required=True, help="whether checkpoints answer them")
    parser.add_argument("--prompt", required=True, help="the neutral prompt")
    parser.add_argument("--reference", nargs="?", help="reference log-probabilities of the rows, for DPO")
    parser.add_argument("--recipe", required=True, help="settings of the training, as JSON")
    parser.add_argument("--lr", type=float, required=True, help="learning rate")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--engines", required=True, help="settings of the engine that reads out, as JSON by role")
    parser.add_argument("--criterion", choices=["length", "accuracy", "last"], required=True)
    parser.add_argument("--max-tokens", type=int, required=True, help="longest completion of a readout")
    parser.add_argument("--label", required=True, help="what the progress is of")
    work_option(parser, "train_specialist")
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the trained model")
    parser.add_argument("--metrics", required=True, help="output: losses, readouts and the choice")
    parser.add_argument("--rejects", required=True, help="output: rows that could not be trained on")
    parser.add_argument("--base-lineage", required=True, help="what is known of where the base comes from, as JSON")
    parser.add_argument("--lineage", required=True, help="output: where the trained model comes from")
    args = parser.parse_args()

    if json.loads(args.engines)["actor"]["device"] == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # training follows: torch takes any GPU that it sees

    inputs = [args.start, args.train, args.dev, args.problems, args.prompt]
    job = SearchJob.of("train_specialist", args, inputs, args.label)
    dev = [row for row in read_table(args.problems, PROBLEMS) if row["split"] == "dev"]
    prompt = prompts.load(args.prompt, ("problem",))
    greedy = {"greedy": (Sampling(max_tokens=args.max_tokens), 1)}
    ask = partial(answer, prompts={prompt.name: prompt}, decodings=greedy, seed=args.seed, options={})
    rejects, train_rows = Rejects("training"), read_jsonl(args.train)
    trained = train(
        Recipe.of(json.loads(args.recipe), args.lr, args.seed),
        args.start.parent,
        train_rows,
        read_jsonl(args.dev),
        args.model.parent,
        job.work / "checkpoints",
        rejects=rejects,
        criterion=args.criterion,
        readout=partial(read_out, job=job, ask=ask, dev=dev) if args.readout == "yes" else None,
        reference=Path(args.reference) if args.reference else None,
        label=args.label,
    )
    if not processes.is_first():
        return
    write_jsonl(args.metrics, trained.metrics)
    write_table(args.rejects, REJECTS, rejects.rows, job.origin.digests)
    write_json(args.lineage, after_training(*start_of(args), train_rows).record())
    shutil.rmtree(job.work, ignore_errors=True)


if __name__ == "__main__":
    run(main)
