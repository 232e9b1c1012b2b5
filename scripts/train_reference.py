"""Compute the log-probabilities of a training set under the model that training starts from, for trainings on it."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from bestpath.core.io import read_jsonl
from bestpath.core.provenance import origin_of
from bestpath.runtime.program import run
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.train import write_reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="manifest of the model to train")
    parser.add_argument("--train", required=True, help="training rows")
    parser.add_argument("--dev", required=True, help="dev rows")
    parser.add_argument("--recipe", required=True, help="the settings that matter here, as JSON")
    parser.add_argument("--work", type=Path, default=Path("results/.work/train_reference"), help="scratch folder")
    parser.add_argument("--reference", type=Path, required=True, help="output: reference log-probabilities")
    args = parser.parse_args()

    work = args.work / origin_of("train_reference", vars(args), [args.start, args.train, args.dev]).key
    recipe = Recipe.of_reference(json.loads(args.recipe))
    write_reference(recipe, args.start.parent, read_jsonl(args.train), read_jsonl(args.dev), args.reference, work)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    run(main)
