"""What the rules of ReCUT cost, in words too, and what a run tells of how its model reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bestpath.core.declarations import Circumstances, Cost, Estimate, Habits, Work, free
from bestpath.core.io import read_json
from bestpath.core.tables import Row, read_table
from bestpath.methods.recut.models import SETS, trained
from bestpath.methods.recut.settings import Explore, Recut
from bestpath.methods.recut.tables import TRIALS
from bestpath.settings.common import Common


def explored(of: Circumstances) -> Mapping[str, Estimate]:
    """What exploring a shard generates.

    In round t a completion is the solution from its t-th step on, so a search through all T steps writes
    (T + 1) / 2 solutions for each mode and sample. The released stop rule goes on, repeating a step. At most, all
    rounds are taken and each completion is as long as it may be.
    """
    explore: Explore = of.own.explore
    solution = min(of.habits.solution, explore.max_tokens)
    if explore.strategy == "whole":
        n = of.shard * explore.samples_per_mode
        expected = Work.answers(n, solution, of.habits.prompt)
        return {"actor": Estimate(expected, Work.answers(n, explore.max_tokens, of.context))}
    a_round = len(explore.modes) * explore.samples_per_mode
    rounds = min(explore.rounds, of.habits.steps)
    solutions = rounds - rounds * (rounds - 1) / (2 * of.habits.steps)
    if explore.stop_rule == "boxed_in_step":
        solutions += (explore.rounds - rounds) / of.habits.steps
        rounds = explore.rounds
    expected = Work.answers(of.shard * a_round * rounds, solution * solutions / rounds, of.habits.prompt)
    return {
        "actor": Estimate(expected, Work.answers(of.shard * a_round * explore.rounds, explore.max_tokens, of.context))
    }


def rows(of: Circumstances, item: str) -> tuple[float, float]:
    """The training rows that a problem is expected to give a specialist's training set, and gives at most."""
    pairs = of.own.pairs
    limit = 1 if item == "sft" else pairs.max_per_problem * (2 if item == "union" else 1)
    return min(limit, of.habits.pairs[item]), limit


def assumptions(common: Common, variants: Mapping[str, Recut], habits: Habits) -> tuple[str, str]:
    """What is expected of exploration and pairs, and what they are at most."""
    sets = dict.fromkeys(SETS[name] for recut in variants.values() for name in trained(recut))
    pairs = " and ".join(f"{habits.pairs[name]:.2g} {name}" for name in sets)
    explore = [recut.explore for recut in variants.values()]
    rounds, longest = max(rules.rounds for rules in explore), max(rules.max_tokens for rules in explore)
    return (
        f"{habits.steps:.2g} steps and {habits.solution:.0f} tokens a solution, {pairs} pairs a problem",
        f"all {rounds} rounds, {longest:,} tokens a completion, a pair from every problem",
    )


# --- what a run tells ---------------------------------------------------------------------------------------------


def habits(folder: Path) -> Mapping[str, Any]:
    """What the explorations and funnels of a run tell, as far as it came; `folder` holds its variants."""
    searches = [
        read_table(file, TRIALS, ("problem_id", "round", "n_tokens", "n_prompt_tokens"))
        for file in sorted(folder.glob("*/s*/explore/*.parquet"))
    ]
    told: dict[str, Any] = {}
    if trials := [row for rows in searches for row in rows]:
        # a completion of the first round is a whole solution; the last round of a search is its last step
        last: list[int] = []
        for rows in searches:
            rounds: defaultdict[str, int] = defaultdict(int)
            for row in rows:
                rounds[row["problem_id"]] = max(rounds[row["problem_id"]], row["round"])
            last += rounds.values()
        told["steps"] = fmean(last)
        told["solution"] = fmean(row["n_tokens"] for row in trials if row["round"] == 1)
        told["prompt"] = fmean(row["n_prompt_tokens"] for row in trials)
    if pairs := _pairs([read_json(file) for file in sorted(folder.glob("*/s*/funnel.json"))]):
        told["pairs"] = pairs
    return told


def _pairs(funnels: Sequence[Sequence[Row]]) -> dict[str, float]:
    """Training rows a problem by training set, from the counts of funnels."""
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for counts in funnels:
        problems = next(row["n"] for row in counts if row["stage"] == "problems")
        for row in counts:
            if row["outcome"] == "kept" and row["unit"] == "row" and problems:
                name = row["stage"].split(".")[1] if row["stage"].startswith("pairs.") else "sft"
                shares[name].append(row["n"] / problems)
    return {name: fmean(values) for name, values in shares.items()}


COST: Mapping[str, Cost] = {
    "recut_explore": explored,
    "recut_candidates": free,
    "recut_optimal": free,
    "recut_pairs": free,
    "recut_sft": free,
    "recut_funnel": free,
    "recut_choose_merge": free,
}
