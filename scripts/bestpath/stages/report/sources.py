"""From the tables of other stages to what the report shows: answers, costs, the funnel. Pure, on plain rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bestpath.core.tables import Row
from bestpath.stages.report.data import Answer, CostRow, FunnelStep, Lengths

SETS = {
    "pairs.length": "length pairs",
    "pairs.accuracy": "accuracy pairs",
    "pairs.union": "union of the pairs",
    "sft.shortest": "shortest solutions for SFT",
    "sft.rejection_sampling": "correct samples for SFT",
}
"""Names of the training sets in the funnel."""


def lengths_of(scored: Iterable[tuple[Row, Sequence[Row]]], shown: Collection[str]) -> tuple[Lengths, ...]:
    """The lengths of the greedy samples of the systems to be shown, all seeds together.

    `scored` are systems (`system`, `kind`) with their rows of the scores table. Samples that the engine failed have no
    length.
    """
    pooled: dict[tuple[str, str], list[int]] = {}
    for system, scores in scored:
        if system["system"] in shown:
            lengths = [row["n_tokens"] for row in greedy(scores) if row["finish_reason"] != "error"]
            pooled.setdefault((system["system"], system["kind"]), []).extend(lengths)
    return tuple(Lengths(*system, tuple(lengths)) for system, lengths in pooled.items())


def answers_of(answered: Iterable[tuple[str, Sequence[Row], Sequence[Row]]]) -> dict[str, list[Answer]]:
    """The solutions of each problem, from systems with their rows of the samples and of the scores table."""
    answers: dict[str, list[Answer]] = {}
    for system, samples, scores in answered:
        for sample, score in zip(samples, scores, strict=True):
            note = {"length": "cut off", "error": "failed in the engine"}.get(sample["finish_reason"], "")
            answer = Answer(system, sample["text"], sample["n_tokens"], score["verdict"], score["answer"], note)
            answers.setdefault(sample["problem_id"], []).append(answer)
    return answers


def greedy(scores: Sequence[Row]) -> list[Row]:
    """The scores of greedy samples, or those of the first decoding if there are none."""
    first = min((row["decoding"] for row in scores), key=lambda name: (name != "greedy", name))
    return [row for row in scores if row["decoding"] == first]


def cost_of(stage: str, jobs: Iterable[Row], samples: Sequence[Row] = ()) -> CostRow:
    """What a stage cost: the time of its jobs (Snakemake's benchmark rows), and the completions that it drew.

    `samples` are rows of samples or trials.
    """
    seconds = sum(job["s"] for job in jobs)
    if not samples:
        return CostRow(stage, seconds)
    generated, prompt = (sum(row[name] for row in samples) for name in ("n_tokens", "n_prompt_tokens"))
    return CostRow(stage, seconds, len(samples), generated, prompt)


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
        losers = _reasons(counts, stage, "candidate")
        if losers:
            drawn = rows + sum(n for _, n in losers)
            steps.append(FunnelStep(f"{name}, drawn from", "candidates", drawn, rows, losers))
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


def _reasons(counts: Iterable[Row], stage: str, unit: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (row["reason"], row["n"])
        for row in counts
        if (row["stage"], row["unit"], row["outcome"]) == (stage, unit, "rejected") and row["n"]
    )
