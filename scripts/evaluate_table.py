"""Make the result tables: accuracy, tokens and differences from the base, with intervals."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bestpath.core.provenance import origin_of
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.results import Run, long_rows, results_of
from bestpath.stages.evaluation.table import write_results
from bestpath.stages.evaluation.tables import METRICS, SCORES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="the verdicts, one file a system and data set")
    parser.add_argument("--systems", required=True, help="what each file is of, in the same order, as JSON")
    parser.add_argument("--bootstrap", type=int, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--metrics", required=True, help="output: one number a row")
    parser.add_argument("--tables", type=Path, required=True, help="output: the folder of results.csv, .md and .json")
    args = parser.parse_args()

    runs = []
    for path, system in zip(args.scores, json.loads(args.systems), strict=True):
        rows = read_table(path, SCORES)
        for decoding in sorted({row["decoding"] for row in rows}):
            scores = [row for row in rows if row["decoding"] == decoding]
            runs.append(Run(**system, decoding=decoding, max_tokens=args.max_tokens, scores=scores))
    results = results_of(runs, args.seed, resamples=args.bootstrap)
    origin = origin_of("evaluate_table", vars(args), args.scores)
    write_table(args.metrics, METRICS, long_rows(results), origin.digests)
    write_results(args.tables, results)


if __name__ == "__main__":
    run(main)
