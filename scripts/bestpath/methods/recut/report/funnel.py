"""ReCUT's funnel as the report shows it, from the counts of its last rule: stage, unit, outcome, reason and n."""

from __future__ import annotations

from collections.abc import Iterable

from bestpath.core.tables import Row
from bestpath.methods.recut.report.words import meaning
from bestpath.stages.report.blocks import Funnel, Reject, Step, Text
from bestpath.stages.report.data import Section

SETS = {
    "pairs.length": "length pairs",
    "pairs.accuracy": "accuracy pairs",
    "pairs.union": "union of the pairs",
    "sft.shortest": "shortest solutions for SFT",
    "sft.rejection_sampling": "correct samples for SFT",
}
"""Names of the training sets in the funnel."""


def section_of(counts: Iterable[Row]) -> Section:
    """The funnel as a section."""
    text = "What went into each step, what came out, and every reason for which something was rejected."
    return Section("From problems to pairs", (Text((text,)), Funnel(tuple(steps_of(counts)))), "Funnel")


def steps_of(counts: Iterable[Row]) -> list[Step]:
    """The steps of the funnel."""
    counts = list(counts)
    problems = _sum(counts, "problems", "problem", "in")
    trials = _sum(counts, "trials", "trial", "in") + _sum(counts, "candidates", "greedy_path", "in")
    steps = [
        Step("problems", "problems", None, problems),
        Step("completions", "completions", None, trials),
        Step(
            "candidates",
            "completions",
            trials,
            _sum(counts, "candidates", "candidate", "kept"),
            _rejects(counts, "candidates", "trial"),
        ),
        Step(
            "solved",
            "problems",
            problems,
            _sum(counts, "optimal", "problem", "kept"),
            _rejects(counts, "optimal", "problem"),
        ),
    ]
    before = ("problems", "trials", "candidates", "optimal")
    for stage in dict.fromkeys(row["stage"] for row in counts if row["stage"] not in before):
        kept, rows = _sum(counts, stage, "problem", "kept"), _sum(counts, stage, "row", "kept")
        name = SETS.get(stage, stage)
        steps.append(Step(name, "problems", problems, kept, _rejects(counts, stage, "problem"), f"{rows} rows"))
        losers = _rejects(counts, stage, "candidate")
        if losers:
            drawn = rows + sum(reject.n for reject in losers)
            steps.append(Step(f"{name}, drawn from", "candidates", drawn, rows, losers))
    return steps


def flaws_of(counts: Iterable[Row]) -> list[str]:
    """Sentences on flawed training rows; only the released pair rule makes any."""
    return [
        f"{SETS.get(row['stage'], row['stage'])}: {row['n']} rows are flawed, {row['reason'].replace('_', ' ')}."
        for row in counts
        if row["outcome"] == "flawed" and row["n"]
    ]


def _sum(counts: Iterable[Row], stage: str, unit: str, outcome: str) -> int:
    return sum(row["n"] for row in counts if (row["stage"], row["unit"], row["outcome"]) == (stage, unit, outcome))


def _rejects(counts: Iterable[Row], stage: str, unit: str) -> tuple[Reject, ...]:
    return tuple(
        Reject(row["reason"], row["n"], meaning(row["reason"]))
        for row in counts
        if (row["stage"], row["unit"], row["outcome"]) == (stage, unit, "rejected") and row["n"]
    )
