"""Merge models into one, and report what that did to the weights."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bestpath.core.io import read_json, write_json
from bestpath.core.lineage import Lineage, after_merging
from bestpath.core.models import LINEAGE
from bestpath.core.provenance import origin_of
from bestpath.core.tables import write_table
from bestpath.runtime.program import run
from bestpath.stages.merging.merge import merge
from bestpath.stages.merging.methods import Method
from bestpath.stages.merging.report import MERGE_REPORT, merge_report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="manifest of the base")
    parser.add_argument("--parents", nargs="+", type=Path, required=True, help="manifests of the models to merge")
    parser.add_argument("--names", nargs="+", required=True, help="their names, in the same order")
    parser.add_argument("--method", required=True, help="settings of the merge, as JSON")
    parser.add_argument("--dtype", required=True, help="type of the merged weights")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the merged model")
    parser.add_argument("--lineage", required=True, help="output: the lineage of the merged model")
    parser.add_argument("--report", required=True, help="output: norms, cosine, sign agreement, changed fraction")
    args = parser.parse_args()

    base, merged = args.base.parent, args.model.parent
    parents = {name: path.parent for name, path in zip(args.names, args.parents, strict=True)}
    merge(Method(**json.loads(args.method)), base, list(parents.values()), merged, args.seed, args.dtype)
    lineages = [Lineage.of(read_json(folder / LINEAGE)) for folder in parents.values()]
    write_json(args.lineage, after_merging(lineages).record())
    report = merge_report(base, parents, merged)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    origin = origin_of("merge_models", vars(args), [args.base, *args.parents])
    write_table(args.report, MERGE_REPORT, report.rows, origin.digests)


if __name__ == "__main__":
    run(main)
