"""What the rules of GSI cost, in words too, and what a run tells of how its model reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from bestpath.core.declarations import TRAINER, Circumstances, Cost, Estimate, Habits, Work, free
from bestpath.core.tables import read_table
from bestpath.methods.gsi.settings import Gsi
from bestpath.methods.gsi.tables import DRAWS
from bestpath.settings.common import Common

_FURTHER = {"guided": 1.6, "plain": 7.6}
_PASS_RATE = 0.54
"""Further draws of a question on the average, with help and without, and the share of right answers: means over five
levels of pass rates from .95 to .1."""


def _drawn(of: Circumstances, usual: float, limit: int) -> Estimate:
    """So many answers to each question of a shard that is trained on."""
    n, most = of.shard * (1 - of.common.problems.dev_fraction), of.own.sample.max_tokens
    expected = Work.answers(n * usual, min(most, of.habits.solution), of.habits.prompt)
    return Estimate(expected, Work.answers(n * limit, most, of.context))


def drawn(of: Circumstances) -> Mapping[str, Estimate]:
    """The plain draws of a shard."""
    return {"actor": _drawn(of, of.own.sample.n_init, of.own.sample.n_init)}


def guided(of: Circumstances) -> Mapping[str, Estimate]:
    """The further draws of a shard; a teacher reads an answer before each, and says what is wrong in it."""
    guidance = of.own.guidance
    usual = _FURTHER["plain" if guidance.strategy == "plain" else "guided"]
    actor = _drawn(of, min(usual, guidance.rounds), guidance.rounds)
    if guidance.strategy != "interactive":
        return {"actor": actor}

    def feedback(work: Work) -> Work:
        read = work.prompt_tokens + work.tokens
        return Work(work.completions, work.completions * guidance.teacher.max_tokens, read)

    return {"actor": actor, "teacher": Estimate(feedback(actor.expected), feedback(actor.most))}


def rows(of: Circumstances, t: int) -> tuple[float, float]:
    """The rows that a question of the pool gives the training set of iteration t: its reference, or right answers."""
    gsi = of.own
    limit = (gsi.select.cap or gsi.sample.n_init + gsi.guidance.rounds) if t else 1
    return (min(limit, _PASS_RATE * gsi.sample.n_init) if t else 1.0), limit


def perplexities(of: Circumstances) -> Mapping[str, Estimate]:
    """A forward pass over a training set: a third of the time of an epoch on it."""
    usual, most = rows(of, int(of.wildcards["t"]))
    pool = (of.pool - of.dev) / 2 / 3
    return {TRAINER: Estimate(Work(pairs=pool * usual), Work(pairs=pool * most))}


def assumptions(common: Common, variants: Mapping[str, Gsi], habits: Habits) -> tuple[str, str]:
    """What is expected of draws and rows, and what they are at most."""
    budgets = sorted({gsi.guidance.rounds for gsi in variants.values() if gsi.guidance.strategy != "none"})
    rounds = f"all {' to '.join(map(str, dict.fromkeys([budgets[0], budgets[-1]])))} rounds, " if budgets else ""
    longest = max(gsi.sample.max_tokens for gsi in variants.values())
    solutions = f"{habits.solution:.0f} tokens a solution, {100 * _PASS_RATE:.0f} % of them right"
    return (
        f"{solutions}, {_FURTHER['guided']} further draws a question with help and {_FURTHER['plain']} without",
        f"{rounds}{longest:,} tokens a completion, a row from every draw",
    )


def habits(folder: Path) -> Mapping[str, Any]:
    """What the plain draws of a run tell, as far as it came; `folder` holds its variants."""
    draws = [
        row
        for file in sorted(folder.glob("*/s*/draws/*/plain/*.parquet"))
        for row in read_table(file, DRAWS, ("n_tokens", "n_prompt_tokens"))
    ]
    if not draws:
        return {}
    return {
        "solution": fmean(row["n_tokens"] for row in draws),
        "prompt": fmean(row["n_prompt_tokens"] for row in draws),
    }


COST: Mapping[str, Cost] = {
    "gsi_references": free,
    "gsi_sample": drawn,
    "gsi_grade": free,
    "gsi_guide": guided,
    "gsi_select": free,
    "gsi_perplexity": perplexities,
    "gsi_tail": free,
    "gsi_audit": free,
}
