"""What becomes of the hard questions (docs/gsi.md, 10): shares, distances, coverage, and what help cost.

All numbers are rows of TAIL. Groups are levels; a pool without levels is grouped by the pass rate of the plain draws of
iteration 0, hardest last, so that the last group is the tail in both cases.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from bestpath.core.tables import Row

Shares = Mapping[str, float]
_BIN, _LONGEST = 10, 1600  # characters
_QUANTILES = (10, 25, 50, 75, 90)


def groups_of(problems: Iterable[Row], plain: Iterable[Row] = ()) -> dict[str, str]:
    """The group of every question: its level, or else its pass rate in the plain draws of iteration 0, hardest last."""
    problems = list(problems)
    if all(problem["level"] is not None for problem in problems):
        return {problem["problem_id"]: str(problem["level"]) for problem in problems}
    outcomes: dict[str, list[bool]] = {problem["problem_id"]: [] for problem in problems}
    for draw in plain:
        outcomes[draw["problem_id"]].append(draw["verdict"] == "correct")
    rates = {name: sum(found) / len(found) if found else 0.0 for name, found in outcomes.items()}
    order = sorted(set(rates.values()), reverse=True)
    return {name: f"{order.index(rate) + 1:02d}: {rate:.2f}" for name, rate in rates.items()}


def shares(rows: Iterable[Row], groups: Mapping[str, str]) -> dict[str, float]:
    """The share of every group among rows; groups without a row have 0."""
    counts = Counter(groups[row["problem_id"]] for row in rows)
    total = sum(counts.values())
    return {group: counts[group] / total if total else 0.0 for group in sorted(set(groups.values()))}


def chance_rate(answers: Iterable[str]) -> float:
    """How often the answer of one question is that of another, drawn at random: what a hopeless draw scores."""
    counts = Counter(answers)
    n = sum(counts.values())
    return sum(m * (m - 1) for m in counts.values()) / (n * (n - 1)) if n > 1 else 0.0


def total_variation(first: Shares, second: Shares) -> float:
    """Half the sum of the differences of two distributions."""
    return sum(abs(first[group] - second[group]) for group in first) / 2


def divergence(original: Shares, own: Shares) -> float:
    """KL(original || own) in nats; infinite when the own distribution lacks a group."""
    terms = ((share, own[group]) for group, share in original.items() if share > 0)
    return sum(p * math.log(p / q) if q > 0 else math.inf for p, q in terms)


def gini(values: Iterable[float]) -> float:
    """How unequal values are: 0 when all are the same, towards 1 when one has everything."""
    ordered = sorted(values)
    total, n = sum(ordered), len(ordered)
    if not total:
        return 0.0
    return 2 * sum(rank * value for rank, value in enumerate(ordered, start=1)) / (n * total) - (n + 1) / n


def tail(
    training: Sequence[Row],
    references: Sequence[Row],
    sampled: Sequence[Row],
    questions: Sequence[Row],
    groups: Mapping[str, str],
    perplexities: Sequence[float] = (),
) -> list[Row]:
    """All numbers about one training set, rows of TAIL.

    `training` and `references` are rows of this set and of D_0, with the text of their `completion`; `sampled` and
    `questions` are the tables that `select` made with it (empty for D_0 itself).
    """
    made: list[tuple[str, str, float]] = []

    def add(metric: str, value: float, group: str = "") -> None:
        made.append((metric, group, float(value)))

    own, original = shares(training, groups), shares(references, groups)
    for group, share in own.items():
        add("row_share", share, group)
    add("rows", len(training))
    add("total_variation", total_variation(own, original))
    add("kl_from_references", divergence(original, own))
    hardest = max(own)
    add("tail_retention", own[hardest] / original[hardest] if original[hardest] else 0.0)
    rows_of = Counter(row["problem_id"] for row in training)
    add("gini_of_rows", gini(rows_of[problem_id] for problem_id in groups))
    _lengths([_characters(row) for row in training], add)
    _perplexities(perplexities, add)
    _coverage(questions, groups, add)
    _help(sampled, training, groups, add)
    return [{"metric": metric, "group": group, "value": value} for metric, group, value in made]


Add = Callable[..., None]


def _characters(row: Row) -> int:
    return len(row["completion"][0]["content"])


def _lengths(lengths: Sequence[int], add: Add) -> None:
    """Characters of the completions: a histogram with bins of ten, and quantiles."""
    for start, n in sorted(Counter(min(length, _LONGEST) // _BIN * _BIN for length in lengths).items()):
        add("characters_share", n / len(lengths), f"{start:04d}")
    if len(lengths) > 1:
        cuts = statistics.quantiles(lengths, n=100, method="inclusive")
        for percent in _QUANTILES:
            add("characters_quantile", cuts[percent - 1], f"{percent:02d}")


def _perplexities(values: Sequence[float], add: Add) -> None:
    """Perplexity of the completions under the base: a histogram with bins of 0.1 up to 10, and the median."""
    for start, n in sorted(Counter(min(round(value * 10 // 1), 100) for value in values).items()):
        add("perplexity_share", n / len(values), f"{start / 10:04.1f}")
    if values:
        add("perplexity_median", statistics.median(values))


def _coverage(questions: Sequence[Row], groups: Mapping[str, str], add: Add) -> None:
    """Questions with at least one correct answer, and how many correct answers they have."""
    if not questions:
        return
    solved: dict[str, list[bool]] = {}
    for question in questions:
        solved.setdefault(groups[question["problem_id"]], []).append(not question["tail_lost"])
    add("coverage", sum(map(sum, solved.values())) / len(questions))
    for group, found in sorted(solved.items()):
        add("coverage", sum(found) / len(found), group)
    for n, times in sorted(Counter(question["n_correct"] for question in questions).items()):
        add("questions_by_correct", times, f"{n:03d}")
    add("tail_lost", sum(question["tail_lost"] for question in questions))
    add("suspect_gold", sum(question["suspect_gold"] is not None for question in questions))


def _help(sampled: Sequence[Row], training: Sequence[Row], groups: Mapping[str, str], add: Add) -> None:
    """What the two phases drew and cost, how often help led to a right answer, and what of it was given."""
    for phase in ("plain", "guided"):
        draws = [row for row in sampled if row["phase"] == phase and row["verdict"] != "not_done"]
        add("draws", len(draws), phase)
        add("generated_tokens", sum(row["n_tokens"] for row in draws), phase)
        by_group: dict[str, list[bool]] = {}
        for row in draws:
            by_group.setdefault(groups[row["problem_id"]], []).append(row["verdict"] == "correct")
        for group, found in sorted(by_group.items()):
            add(f"{phase}_success", sum(found) / len(found), group)
        if draws:
            add("success", sum(row["verdict"] == "correct" for row in draws) / len(draws), phase)
        right = [row for row in draws if row["verdict"] == "correct" and row["valid"] is not None]
        if right:
            add("spurious", sum(not row["valid"] for row in right) / len(right), phase)
    add("teacher_tokens", sum(row["teacher_tokens"] for row in sampled))
    add("not_done", sum(row["verdict"] == "not_done" for row in sampled))
    kept = {row["draw_id"]: row for row in sampled if row["kept"]}
    if training:
        guided = sum(row["phase"] == "guided" for row in kept.values())
        human = sum(row["prefix_share"] for row in kept.values()) + sum(row["origin"] != "sampled" for row in training)
        add("guided_rows", guided / len(training))
        add("human_share", human / len(training))
        add("all_revealed_rows", sum(row["all_revealed"] for row in kept.values()) / len(training))
    for flag, n in sorted(Counter(flag for row in sampled for flag in row["flags"]).items()):
        add("flags", n, flag)
