"""How long all pairs of systems take with shared resamples, against scipy's bootstrap called for each pair.

Both sides compute the same intervals, to the last bit: the difference of the accuracies and the ratio of the mean
lengths of any two systems, 10,000 resamples, of one data set under one decoding. Reading files and grading have no
part in it; averaging over samples is part of ours. The plain loop gets some of the pairs when it would take too long;
its time is that of a pair times the number of pairs. All times are CPU times, in one thread.

    python benchmarks/bootstrap.py
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from itertools import combinations
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded

import numpy as np
from scipy.stats import bootstrap

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from bestpath.stages.evaluation.comparison import BATCH, RESAMPLES, compare  # noqa: E402
from bestpath.stages.evaluation.metrics import Items, items_of  # noqa: E402

PLAIN_S = 20.0


def scores(problems: int, draw: random.Random) -> list[dict[str, object]]:
    """The verdicts on one system, four samples a problem."""
    return [
        {"problem_id": f"p{p}", "verdict": draw.choice(["correct", "wrong"]), "n_tokens": draw.randint(50, 400),
         "finish_reason": "stop"}
        for p in range(problems)
        for _ in range(4)
    ]  # fmt: skip


def interval(values: tuple[np.ndarray, ...], statistic: object, seed: int) -> tuple[float, float]:
    """The interval of one pair by scipy."""
    found = bootstrap(
        values, statistic, n_resamples=RESAMPLES, batch=BATCH, vectorized=True, paired=True, method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def plain_loop(systems: dict[str, Items], seed: int) -> tuple[float, dict[tuple[str, str, str], tuple[float, float]]]:
    """Seconds for all pairs, and the intervals of those that were done."""
    intervals = {}
    start = time.process_time()
    pairs = list(combinations(systems, 2))
    random.Random(0).shuffle(pairs)
    for reference, system in pairs:
        ours, theirs = systems[system], systems[reference]
        delta = (ours.accuracy - theirs.accuracy,)
        intervals[system, reference, "accuracy"] = interval(delta, lambda d, axis: d.mean(axis=axis), seed)
        low, high = interval(
            (ours.tokens, theirs.tokens), lambda a, b, axis: np.log(a.mean(axis=axis) / b.mean(axis=axis)), seed
        )
        intervals[system, reference, "tokens"] = math.exp(low), math.exp(high)
        if time.process_time() - start > PLAIN_S:
            break
    return (time.process_time() - start) * len(pairs) / (len(intervals) / 2), intervals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    print(f"{len(os.sched_getaffinity(0))} CPU cores\n")
    print("| systems | pairs | problems | scipy a pair, s | shared resamples, s | ratio |")
    print("|---|---|---|---|---|---|")
    for problems in (16, 500):
        for number in (2, 12, 40):
            draw = random.Random(args.seed)
            rows = {f"system {i}": scores(problems, draw) for i in range(number)}
            start = time.process_time()
            _, differences = compare({label: {0: of} for label, of in rows.items()}, args.seed)
            shared = time.process_time() - start
            plain, intervals = plain_loop({label: items_of(of) for label, of in rows.items()}, args.seed)
            made = {(d.system, d.reference, d.metric): (d.ci_low, d.ci_high) for d in differences}
            if any(made[key] != value for key, value in intervals.items()):
                sys.exit("error: the intervals differ")
            pairs = len(differences) // 2
            print(
                f"| {number} | {pairs} | {problems} | {plain:.2f} | {shared:.2f} | {plain / shared:.1f} |", flush=True
            )


if __name__ == "__main__":
    main()
