"""Pretrain the base model of the embedded world on the lessons that the methods need."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from bestpath.core.provenance import origin_of
from bestpath.core.tables import write_table
from bestpath.runtime.program import run
from bestpath.stages.embedded.language import World
from bestpath.stages.embedded.lessons import curriculum, lessons_of
from bestpath.stages.embedded.model import Size
from bestpath.stages.embedded.pretraining import Course, pretrain
from bestpath.stages.embedded.tables import PRETRAINING


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", nargs="+", required=True, help="the modules that declare the lessons")
    parser.add_argument("--lessons", nargs="+", required=True, help="lesson/prompt=prompt template")
    parser.add_argument("--course", required=True, help="depth, and the fields of a Course, as JSON")
    parser.add_argument("--world", required=True, help="range of operations and largest number, as JSON")
    parser.add_argument("--context", type=int, required=True, help="the most tokens of a document")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/.work/embedded_base"), help="resume state")
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the model")
    parser.add_argument("--metrics", required=True, help="output: losses and held-out measures")
    args = parser.parse_args()

    templates = {name: Path(path) for name, path in (entry.split("=") for entry in args.lessons)}
    taught = curriculum(lessons_of(args.modules), templates)
    settings = json.loads(args.course)
    course = Course(
        settings["steps"],
        settings["batch"],
        args.seed,
        args.threads,
        settings["learning_rate"],
        settings["muon_dtype"],
    )
    world = World.sized(**json.loads(args.world))
    origin = origin_of("embedded_base", vars(args), templates.values(), args.modules)
    work = args.work / origin.key
    metrics = pretrain(taught, world, Size(settings["depth"]), course, args.context, args.model.parent, work)
    write_table(args.metrics, PRETRAINING, metrics, origin.digests)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    run(main)
