"""Preference pairs for the twin specialists, the paper's Gemini LLMs (docs/recut.md, pairs).

Both sets have the same winner, the shortest correct trajectory. In the length set it wins against a longer correct
one, in the accuracy set against a wrong one. A loser is drawn at random there by default: the longest wrong one
would teach length a second time. Over-long pairs are rejected, since a cut loser would lose its wrong answer.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.core.errors import UserError
from bestpath.core.randomness import generator_for
from bestpath.core.rejects import Rejects
from bestpath.core.tables import Row
from bestpath.core.training_rows import TrainPrompt, Turns, answer_turn, turns
from bestpath.methods.recut.candidates import LengthUnit, length_of, pools_of

SetName = Literal["length", "accuracy"]
Policy = Literal["longest", "shortest", "median", "length_matched", "random", "all"]

Couple = tuple[Row, Row]
"""A winning and a losing candidate."""

LOSERS: dict[SetName, str] = {"length": "correct", "accuracy": "wrong"}
"""The verdict of a set's losers."""


@dataclass(frozen=True)
class PairRules:
    """The settings of the pairs (docs/recut.md, settings).

    rule: `fixed` is the paper's; `released` reproduces the released code, wrong winners and identical pairs
    included. rho: a length loser has at least rho times the winner's length. max_per_problem does not limit the
    policy `all`. max_length: tokens of prompt and completion together. rejected: the policy of each set that is built.
    """

    seed: int
    rule: Literal["fixed", "released"]
    rho: float
    max_per_problem: int
    min_pairs: int
    max_length: int
    length_unit: LengthUnit
    rejected: Mapping[SetName, Policy]


def build(
    name: SetName, optimal: Iterable[Row], candidates: Iterable[Row], prompt: TrainPrompt, rules: PairRules
) -> tuple[list[Row], Rejects]:
    """The pairs of the `length` or the `accuracy` set, in the order of the optimal table, and what was rejected.

    A reject without a `sample_id` is a problem that has no pair: `unsolved`, `no_longer_correct`, `no_wrong`,
    `ambiguous_wrong`, `over_max_length`. One with it is a candidate that does not lose: `not_longer` (within rho of
    the winner), `ambiguous_wrong` (a laxer comparison would accept its answer), `over_max_length`, `not_drawn`.
    """
    rows: list[Row] = []
    rejects = Rejects(f"pairs.{name}")
    pools = pools_of(candidates)
    for path in optimal:
        problem_id = path["problem_id"]
        if not path["solved"]:
            rejects.add(problem_id, "unsolved")
            continue
        winner = next(c for c in pools[problem_id] if c["candidate_id"] == path["candidate_id"])
        pool = [c for c in pools[problem_id] if c["verdict"] == LOSERS[name]]
        messages = prompt.messages(path["question"])
        room = rules.max_length - prompt.count(messages)
        match_up = _fixed_couples if rules.rule == "fixed" else _released_couple
        couples, against = match_up(name, winner, pool, room, rules)
        if not couples:
            rejects.add(problem_id, _no_pair(name, set(against.values())))
        used = {c["candidate_id"] for couple in couples for c in couple} | {winner["candidate_id"]}
        for candidate_id in [c["candidate_id"] for c in pool if c["candidate_id"] not in used]:
            rejects.add(problem_id, against.get(candidate_id, "not_drawn"), sample_id=candidate_id)
        rows += [_row(problem_id, turns(messages), *couple) for couple in couples]
    return rows, rejects


def union(length: Iterable[Row], accuracy: Iterable[Row]) -> list[Row]:
    """The pairs of both sets as one, for a single model instead of twins."""
    return sorted([*length, *accuracy], key=lambda row: row["problem_id"])


def check_enough(
    name: str, pairs: Sequence[Row], rejects: Iterable[Row], optimal: Sequence[Row], rules: PairRules
) -> None:
    """Stop before a training that has too few pairs to learn from.

    `pairs` are those of training problems, `rejects` the rows of all rejects of the set. Raises UserError with the
    counts of the funnel.
    """
    if len(pairs) >= rules.min_pairs:
        return
    solved = sum(row["solved"] for row in optimal)
    lost = Counter(row["reason"] for row in rejects if row["sample_id"] is None and row["reason"] != "unsolved")
    why = ", ".join(f"{reason} {n}" for reason, n in lost.most_common()) or "none"
    raise UserError(
        f"the {name} set has {len(pairs)} pairs to train on, fewer than methods.recut.pairs.min_pairs = "
        f"{rules.min_pairs} ({len(optimal)} problems, {solved} solved; solved ones without a pair: {why}); "
        "explore more problems, draw more samples per mode, or lower methods.recut.pairs.rho or min_pairs"
    )


def _fixed_couples(
    name: SetName, winner: Row, pool: Sequence[Row], room: int, rules: PairRules
) -> tuple[list[Couple], dict[str, str]]:
    """The winner with each loser that the policy draws; and the reasons against the others, by candidate."""
    losers = [c for c in pool if c is not winner]
    against = {c["candidate_id"]: reason for c in losers if (reason := _objection(name, winner, c, room, rules))}
    eligible = [c for c in losers if c["candidate_id"] not in against]
    if any(c["text"] == winner["text"] for c in eligible):
        raise AssertionError(f"identical_pair: the candidates of {winner['problem_id']} hold one text twice")
    draw = generator_for(rules.seed, winner["problem_id"], name)
    return [(winner, c) for c in _drawn(rules.rejected[name], eligible, winner, rules, draw)], against


def _objection(name: SetName, winner: Row, loser: Row, room: int, rules: PairRules) -> str:
    """Why a candidate cannot lose against the winner, or ''."""
    long, short = length_of(loser, rules.length_unit), length_of(winner, rules.length_unit)
    # rho * short may come out a rounding error above the whole number that it is
    if name == "length" and (long == short or long < rules.rho * short - 1e-9):
        return "not_longer"
    if name == "accuracy" and loser["loosely_equal"]:
        return "ambiguous_wrong"
    return "" if _fits((winner, loser), room) else "over_max_length"


def _fits(couple: Couple, room: int) -> bool:
    return all(int(c["n_tokens"]) <= room for c in couple)


def _drawn(policy: Policy, losers: Sequence[Row], winner: Row, rules: PairRules, draw: random.Random) -> Sequence[Row]:
    """The losers that a policy takes; among equals the one drawn first."""

    def length(candidate: Row) -> int:
        return length_of(candidate, rules.length_unit)

    n = rules.max_per_problem
    if policy == "all":
        return losers
    if policy == "random":
        return draw.sample(losers, min(n, len(losers)))
    if policy == "median":
        ranked, middle = sorted(losers, key=length), (len(losers) - 1) / 2
        return [ranked[i] for i in sorted(range(len(ranked)), key=lambda i: abs(i - middle))[:n]]
    order: dict[Policy, Callable[[Row], int]] = {
        "longest": lambda c: -length(c),
        "shortest": length,
        "length_matched": lambda c: abs(length(c) - length(winner)),
    }
    return sorted(losers, key=order[policy])[:n]


def _released_couple(
    name: SetName, winner: Row, pool: Sequence[Row], room: int, rules: PairRules
) -> tuple[list[Couple], dict[str, str]]:
    """The pair of the released code, whose damage is a result: a variant, no default.

    The shortest of the pool *and* the optimal path wins, which in the accuracy set is often a wrong one; a uniform
    draw from the rest loses, where the optimal path stands once more beside itself in the length set.
    """
    everyone = [*pool, winner]
    lengths = [length_of(c, rules.length_unit) for c in everyone]
    chosen = everyone.pop(lengths.index(min(lengths)))
    if not everyone:
        return [], {}
    couple = chosen, generator_for(rules.seed, winner["problem_id"], name).choice(everyone)
    if _fits(couple, room):
        return [couple], {}
    return [], {c["candidate_id"]: "over_max_length" for c in couple}


def _no_pair(name: SetName, objections: set[str]) -> str:
    """Why a solved problem has no pair, from the reasons against its candidates."""
    if "over_max_length" in objections:
        return "over_max_length"
    if name == "length":
        return "no_longer_correct"
    return "ambiguous_wrong" if objections else "no_wrong"


def _row(problem_id: str, prompt: Turns, chosen: Row, rejected: Row) -> Row:
    return {
        "problem_id": problem_id,
        "prompt": prompt,
        "chosen": answer_turn(chosen["text"]),
        "rejected": answer_turn(rejected["text"]),
        "chosen_id": chosen["candidate_id"],
        "rejected_id": rejected["candidate_id"],
        "chosen_tokens": chosen["n_tokens"],
        "rejected_tokens": rejected["n_tokens"],
    }
