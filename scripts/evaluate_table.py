"""Make the result tables: accuracy, tokens and costs of all systems, and the differences between any two."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bestpath.core.io import read_json
from bestpath.core.provenance import origin_of
from bestpath.core.systems import Spent
from bestpath.core.tables import read_table, write_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.result_tables import write_results
from bestpath.stages.evaluation.results import Run, joined_metrics, metric_rows, results_of
from bestpath.stages.evaluation.tables import DIFFERENCES, METRICS, SCORES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", required=True, help="the systems of the experiment and which is the reference")
    parser.add_argument("--scores", nargs="+", required=True, help="the verdicts, one file a system and data set")
    parser.add_argument(
        "--entries",
        required=True,
        help="the id of the system and the data set of each file, in the same order, as JSON",
    )
    parser.add_argument("--metrics-of", nargs="*", default=[], help="metrics that methods add")
    parser.add_argument("--bootstrap", type=int, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--metrics", required=True, help="output: one number a row")
    parser.add_argument("--differences", required=True, help="output: any two systems against each other")
    parser.add_argument("--tables", type=Path, required=True, help="output: the folder of results.csv, .md and .json")
    args = parser.parse_args()

    experiment = read_json(args.systems)
    systems = {system["id"]: system for system in experiment["systems"]}
    runs = []
    for path, entry in zip(args.scores, json.loads(args.entries), strict=True):
        rows, system = read_table(path, SCORES), systems[entry["id"]]
        for decoding in sorted({row["decoding"] for row in rows}):
            runs.append(
                Run(
                    system=system["label"],
                    kind=system["kind"],
                    dataset=entry["dataset"],
                    decoding=decoding,
                    max_tokens=args.max_tokens,
                    scores=[row for row in rows if row["decoding"] == decoding],
                    variant=system["variant"],
                    seed=system["seed"],
                    method=system["method"],
                    spent=Spent(**system["spent"]),
                )
            )
    results = results_of(runs, args.seed, systems[experiment["reference"]]["label"], args.bootstrap)
    added = {path: read_table(path, METRICS) for path in args.metrics_of}
    labels = [system["label"] for system in systems.values()]
    metrics = joined_metrics(metric_rows(results.systems), added, labels)

    digests = origin_of("evaluate_table", vars(args), [args.systems, *args.scores, *args.metrics_of]).digests
    write_table(args.metrics, METRICS, metrics, digests)
    write_table(args.differences, DIFFERENCES, results.differences, digests)
    write_results(args.tables, results.systems, [row for rows in added.values() for row in rows])


if __name__ == "__main__":
    run(main)
