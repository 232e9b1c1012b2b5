"""From the tables of other stages to what the report shows. Every function is pure and takes plain rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bestpath.records import Row
from bestpath.stages.report.data import Answer, CostRow, FunnelStep, Lengths, Merge, Readout, TrainingRun
from bestpath.stages.report.words import TRAINING_WARNINGS

SETS = {
    "pairs.length": "length pairs",
    "pairs.accuracy": "accuracy pairs",
    "pairs.union": "union of the pairs",
    "sft.shortest": "shortest solutions for SFT",
}
"""Names of the training sets in the funnel."""


def lengths_of(system: str, kind: str, scores: Iterable[Row]) -> Lengths:
    """The lengths of a system's samples; rows of the scores table. Samples that the engine failed have none."""
    return Lengths(system, kind, tuple(row["n_tokens"] for row in scores if row["finish_reason"] != "error"))


def answer_of(system: str, sample: Row, score: Row) -> Answer:
    """A system's solution of one problem, from its rows of the samples and scores tables."""
    note = {"length": "cut off", "error": "failed in the engine"}.get(sample["finish_reason"], "")
    return Answer(system, sample["text"], sample["n_tokens"], score["verdict"], score["answer"], note)


def training_run(metrics: Iterable[Row], learning_rate: float, seed: int, taken: bool) -> TrainingRun:
    """One training run from its metrics, rows of step, name and value.

    `taken` says whether this learning rate was chosen; only then its checkpoint is pointed out. The readout of
    step 0 is that of the base.
    """
    named = _by_name(metrics)
    chosen = max(named.get("chosen", {}), default=None) if taken else None
    return TrainingRun(
        learning_rate=learning_rate,
        seed=seed,
        loss=tuple(sorted(named.get("train/loss", {}).items())),
        dev_loss=tuple(sorted(named.get("dev/loss", {}).items())),
        margin=tuple(sorted(named.get("train/rewards/margins", {}).items())),
        readouts=_readouts(named),
        chosen_step=chosen,
    )


def training_warnings(model: str, metrics: Iterable[Row]) -> list[str]:
    """The warnings of a training run, in sentences that begin with the model's name."""
    names = [name.removeprefix("warning/") for name in _by_name(metrics) if name.startswith("warning/")]
    return [f"{model}: {TRAINING_WARNINGS.get(name, name.replace('_', ' '))}." for name in names]


def merge_of(
    name: str, settings: str, total: Mapping[str, float], models: tuple[str, str], dev: Row | None, chosen: bool
) -> Merge:
    """A merge from the numbers of its merge report for all weights together, by name.

    `models` are the names of the two merged models there; `dev` holds `accuracy` and `mean_tokens` on the dev split.
    """
    one, two = models
    cosine = total[f"cosine/{one}/{two}"]
    a, b = total[f"norm/{one}"], total[f"norm/{two}"]
    mean = math.sqrt(max(0.0, a * a + b * b + 2 * cosine * a * b)) / 2
    return Merge(
        name=name,
        settings=settings,
        dev_accuracy=dev["accuracy"] if dev else None,
        dev_tokens=dev["mean_tokens"] if dev else None,
        cosine=cosine,
        sign_agreement=total[f"sign_agreement/{one}/{two}"],
        norm_ratio=total["norm/merged"] / mean if mean else None,
        changed=total["changed"],
        chosen=chosen,
    )


def cost_of(stage: str, seconds: Iterable[float], samples: Sequence[Row] = ()) -> CostRow:
    """What a stage cost: the time of its jobs, and the completions that it drew (rows of samples or trials)."""
    if not samples:
        return CostRow(stage, sum(seconds))
    generated, prompt = (sum(row[name] for row in samples) for name in ("n_tokens", "n_prompt_tokens"))
    return CostRow(stage, sum(seconds), len(samples), generated, prompt)


def funnel_of(counts: Iterable[Row]) -> list[FunnelStep]:
    """The steps of the funnel from ReCUT's counts, rows of stage, unit, outcome, reason and n."""
    counts = list(counts)
    problems = _sum(counts, "problems", "problem", "in")
    trials = _sum(counts, "trials", "trial", "in") + _sum(counts, "candidates", "greedy_path", "in")
    steps = [
        FunnelStep("problems", "problems", None, problems),
        FunnelStep("completions", "completions", None, trials),
        FunnelStep(
            "candidates",
            "completions",
            trials,
            _sum(counts, "candidates", "candidate", "kept"),
            _reasons(counts, "candidates", "trial"),
        ),
        FunnelStep(
            "solved",
            "problems",
            problems,
            _sum(counts, "optimal", "problem", "kept"),
            _reasons(counts, "optimal", "problem"),
        ),
    ]
    known = ("problems", "trials", "candidates", "optimal")
    for stage in dict.fromkeys(row["stage"] for row in counts if row["stage"] not in known):
        kept, rows = _sum(counts, stage, "problem", "kept"), _sum(counts, stage, "row", "kept")
        name = SETS.get(stage, stage)
        steps.append(FunnelStep(name, "problems", problems, kept, _reasons(counts, stage, "problem"), f"{rows} rows"))
        candidates = _reasons(counts, stage, "candidate")
        if candidates:
            steps.append(FunnelStep(f"{name}: candidates left out", "rows", None, rows, candidates))
    return steps


def flaws_of(counts: Iterable[Row]) -> list[str]:
    """Sentences on flawed training rows; only the released pair rule makes any."""
    return [
        f"{SETS.get(row['stage'], row['stage'])}: {row['n']} rows are flawed, {row['reason'].replace('_', ' ')}."
        for row in counts
        if row["outcome"] == "flawed" and row["n"]
    ]


def _by_name(metrics: Iterable[Row]) -> dict[str, dict[int, float]]:
    named: dict[str, dict[int, float]] = defaultdict(dict)
    for row in metrics:
        named[row["name"]][row["step"]] = row["value"]
    return dict(named)


def _readouts(named: Mapping[str, Mapping[int, float]]) -> tuple[Readout, ...]:
    parts = [named.get(f"readout/{name}", {}) for name in ("accuracy", "standard_error", "mean_tokens")]
    return tuple(Readout(step, *(part[step] for part in parts)) for step in sorted(parts[0]))


def _sum(counts: Iterable[Row], stage: str, unit: str, outcome: str) -> int:
    return sum(row["n"] for row in counts if (row["stage"], row["unit"], row["outcome"]) == (stage, unit, outcome))


def _reasons(counts: Iterable[Row], stage: str, unit: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (row["reason"], row["n"])
        for row in counts
        if (row["stage"], row["unit"], row["outcome"]) == (stage, unit, "rejected") and row["n"]
    )
