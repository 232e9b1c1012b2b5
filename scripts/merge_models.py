"""Merge the length and the accuracy specialist into one model, and report what that did to the weights."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bestpath.core.provenance import origin_of
from bestpath.core.tables import write_table
from bestpath.runtime.program import run
from bestpath.stages.merging.merge import merge
from bestpath.stages.merging.methods import Method
from bestpath.stages.merging.report import MERGE_REPORT, merge_report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="manifest of the base")
    parser.add_argument("--length", type=Path, required=True, help="manifest of the length specialist")
    parser.add_argument("--accuracy", type=Path, required=True, help="manifest of the accuracy specialist")
    parser.add_argument("--method", required=True, help="settings of the merge, as JSON")
    parser.add_argument("--dtype", required=True, help="type of the merged weights")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True, help="output: manifest of the merged model")
    parser.add_argument("--report", required=True, help="output: norms, cosine, sign agreement, changed fraction")
    args = parser.parse_args()

    base, merged = args.base.parent, args.model.parent
    specialists = {"length": args.length.parent, "accuracy": args.accuracy.parent}
    merge(Method(**json.loads(args.method)), base, list(specialists.values()), merged, args.seed, args.dtype)
    report = merge_report(base, specialists, merged)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    origin = origin_of("merge_models", vars(args), [args.base, args.length, args.accuracy])
    write_table(args.report, MERGE_REPORT, report.rows, origin.digests)


if __name__ == "__main__":
    run(main)
