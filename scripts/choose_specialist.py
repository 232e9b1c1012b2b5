"""Keep the learning rate that the dev split chooses."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict
from pathlib import Path

from bestpath.core.io import read_json, read_jsonl, write_json
from bestpath.core.models import new_folder
from bestpath.runtime.program import run
from bestpath.stages.training.choice import Readout, choose_learning_rate


def readout_at(metrics: list[dict[str, object]], step: int) -> Readout:
    """The readout of one step, from a run's metrics."""
    values = {row["name"]: row["value"] for row in metrics if row["step"] == step}
    parts = (values[f"readout/{name}"] for name in ("accuracy", "mean_tokens", "n"))
    return Readout(*parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", type=Path, required=True, help="manifests of the trained models")
    parser.add_argument("--metrics", nargs="+", required=True, help="their metrics, in the same order")
    parser.add_argument("--learning-rates", nargs="+", type=float, required=True, help="likewise")
    parser.add_argument("--criterion", choices=["length", "accuracy", "last"], required=True)
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the chosen model")
    parser.add_argument("--lineages", nargs="+", required=True, help="their lineages, in the same order")
    parser.add_argument("--lineage", required=True, help="output: the lineage of the chosen model")
    parser.add_argument("--choice", required=True, help="output: the choice and what it rests on")
    args = parser.parse_args()

    runs = {rate: read_jsonl(path) for rate, path in zip(args.learning_rates, args.metrics, strict=True)}
    steps = {rate: next(row["step"] for row in rows if row["name"] == "chosen") for rate, rows in runs.items()}
    tried, base = [{"learning_rate": rate, "step": steps[rate]} for rate in sorted(runs)], None
    if args.criterion == "last":
        [chosen] = runs
    else:
        base = readout_at(next(iter(runs.values())), 0)
        readouts = {rate: readout_at(rows, steps[rate]) for rate, rows in runs.items()}
        chosen = choose_learning_rate(readouts, base, args.criterion)
        tried = [{**of, **asdict(readouts[of["learning_rate"]])} for of in tried]

    source = args.models[args.learning_rates.index(chosen)].parent
    with new_folder(args.model.parent) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(args.model.name))
    write_json(args.lineage, read_json(args.lineages[args.learning_rates.index(chosen)]))
    counts = {row["name"]: row["value"] for row in runs[chosen] if row["name"].startswith("trained/")}
    trained = {name: int(counts[f"trained/{name}"]) for name in ("rows", "tokens")}
    found = {"learning_rate": chosen, "criterion": args.criterion, "base": base and asdict(base), "tried": tried}
    write_json(args.choice, {**found, "trained": trained})


if __name__ == "__main__":
    run(main)
