"""Self-improvement over its iterations: what became of the hard questions, what help brought, and what it cost.

Pure, on plain numbers: a reading is what is known of one variant at one iteration and seed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bestpath.core.tables import Row
from bestpath.stages.report.data import Chart, Extra, Line

Numbers = Mapping[tuple[str, str], float]
"""Values by metric and group, as the tables of the tail hold them."""

Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Reading:
    """One variant at one iteration and seed: the numbers of the set that its model was trained on, and its answers.

    `correct` holds, by level, how many of how many test problems the model solved.
    """

    variant: str
    t: int
    seed: int
    tail: Numbers
    correct: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def numbers_of(rows: Iterable[Row]) -> dict[tuple[str, str], float]:
    """Values by metric and group, from rows of metric, group and value."""
    return {(row["metric"], row["group"]): row["value"] for row in rows}


def correct_by_level(scores: Iterable[Row], levels: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """How many of how many problems of each level are solved; the scores of one decoding."""
    found: dict[str, list[bool]] = {}
    for row in scores:
        found.setdefault(levels[row["problem_id"]], []).append(row["verdict"] == "correct")
    return {level: (sum(right), len(right)) for level, right in sorted(found.items())}


class Story:
    """All readings of an experiment, averaged over its seeds where a number is asked for."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.variants = list(dict.fromkeys(reading.variant for reading in readings))
        self.last = {v: max(r.t for r in readings if r.variant == v) for v in self.variants}
        self._readings = {(r.variant, r.t, r.seed): r for r in readings}
        self.levels = sorted({level for reading in readings for level in reading.correct})
        groups = {group for r in readings for metric, group in r.tail if metric == "row_share"}
        self.hardest = max(groups, default="")

    def readings(self, variant: str, t: int) -> list[Reading]:
        """The readings of all seeds."""
        return [reading for (name, at, _), reading in self._readings.items() if (name, at) == (variant, t)]

    def value(self, variant: str, t: int, metric: str, group: str = "") -> float | None:
        """A number about the training set of an iteration, the mean over seeds; None if there is none."""
        found = [r.tail[metric, group] for r in self.readings(variant, t) if (metric, group) in r.tail]
        return statistics.mean(found) if found else None

    def sum(self, variant: str, t: int, metric: str, groups: Iterable[str]) -> float:
        """The sum of a number over groups."""
        return sum(self.value(variant, t, metric, group) or 0.0 for group in groups)

    def accuracy(self, variant: str, t: int, levels: Iterable[str] | None = None) -> float | None:
        """The accuracy on test problems of some levels (default: all), the mean over seeds."""
        found = self._accuracies(variant, t, levels)
        return statistics.mean(found) if found else None

    def spread(self, variant: str, t: int, levels: Iterable[str] | None = None) -> float | None:
        """The standard error of `accuracy`: over seeds, or binomial for a single one."""
        wanted = list(levels or self.levels)
        found = self._accuracies(variant, t, wanted)
        if len(found) > 1:
            return float(statistics.stdev(found) / len(found) ** 0.5)
        if not found:
            return None
        [only] = self.readings(variant, t)
        n = sum(only.correct[level][1] for level in wanted)
        return float((found[0] * (1 - found[0]) / n) ** 0.5)

    def _accuracies(self, variant: str, t: int, levels: Iterable[str] | None) -> list[float]:
        wanted = list(levels or self.levels)
        found = []
        for reading in self.readings(variant, t):
            if wanted and all(level in reading.correct for level in wanted):
                right, n = (sum(part) for part in zip(*(reading.correct[level] for level in wanted), strict=True))
                found.append(right / n)
        return found

    def tokens(self, variant: str, t: int) -> float:
        """Tokens generated for the training sets up to iteration t, the teacher's included."""
        return sum(
            self.sum(variant, at, "generated_tokens", ("plain", "guided"))
            + (self.value(variant, at, "teacher_tokens") or 0.0)
            for at in range(1, t + 1)
        )


def tail_extra(story: Story) -> Extra:
    """Every variant's training sets: how much of the tail is in them, and what that took."""
    head = (
        "variant", "iteration", "rows", f"share of level {story.hardest}, %", f"coverage of level {story.hardest}, %",
        "without an answer", "further draws", "of them right, %", "generated tokens", "guided rows, %",
        "human text, %", "spurious of plain, %", "spurious of guided, %",
    )  # fmt: skip
    rows = []
    for variant in story.variants:
        for t in range(1, story.last[variant] + 1):
            value = lambda metric, group="", v=variant, at=t: story.value(v, at, metric, group)  # noqa: E731
            rows.append(
                (
                    variant.replace("_", " "), str(t), _count(value("rows")),
                    _percent(value("row_share", story.hardest)),
                    _percent(value("coverage", story.hardest)), _count(value("tail_lost")),
                    _count(value("draws", "guided")), _percent(value("success", "guided")),
                    _count(story.sum(variant, t, "generated_tokens", ("plain", "guided"))),
                    _percent(value("guided_rows")), _percent(value("human_share")),
                    _percent(value("spurious", "plain")), _percent(value("spurious", "guided")),
                )
            )  # fmt: skip
    pool = story.value(story.variants[0], 0, "row_share", story.hardest)
    text = (
        "The set of iteration t is made of answers of the model before. In the pool, and so among the references that "
        f"iteration 0 is trained on, level {story.hardest} has {_percent(pool)} % of the questions. "
        "Coverage: questions with a right answer. Human text: the part of the rows that is copied from references, as "
        "prefixes or whole. Spurious: right answers whose equations do not hold or do not lead to them.",
    )
    charts = (
        _chart(story, "tail-share", f"share of level {story.hardest} in the training set", "%",
               lambda v, t: story.value(v, t, "row_share", story.hardest)),
        _chart(story, "tail-coverage", f"coverage of level {story.hardest}", "%",
               lambda v, t: story.value(v, t, "coverage", story.hardest)),
    )  # fmt: skip
    return Extra("The tail", text, charts, (head, *rows))


def accuracy_extra(story: Story) -> Extra:
    """Accuracy over the iterations, and by level at the end."""
    head = ("variant", "iteration", *(f"level {level}, %" for level in story.levels), "mean, %")
    rows = [_accuracy_row(story, story.variants[0], 0, "all")]
    rows += [_accuracy_row(story, v, story.last[v], v.replace("_", " ")) for v in story.variants]
    hard = story.levels[-2:]
    charts = (
        _chart(story, "accuracy-curve", "accuracy on the test problems", "%", story.accuracy, story.spread),
        _chart(story, "accuracy-hard", f"accuracy on levels {' and '.join(hard)}", "%",
               lambda v, t: story.accuracy(v, t, hard), lambda v, t: story.spread(v, t, hard)),
        _cost_chart(story),
    )  # fmt: skip
    text = (
        "Greedy answers to problems that were never trained on; ± is one standard error, over seeds where there are "
        "several, else binomial. Bands are 95 % intervals. Tokens: all that was generated for the sets so far.",
    )
    return Extra("Accuracy over the iterations", text, charts, (head, *rows))


def shapes_extra(story: Story, shown: Sequence[str]) -> Extra:
    """How long the training rows are and how the base finds them, against the references."""
    charts = []
    for metric, title, label in (
        ("characters_share", "length of the training rows", "characters"),
        ("perplexity_share", "perplexity of the training rows under the base", "perplexity"),
    ):
        lines = [_histogram(story, "references", story.variants[0], 0, metric)]
        lines += [_histogram(story, v, v, story.last[v], metric) for v in story.variants if v in shown]
        kept = tuple(line for line in lines if line.x)
        charts.append(Chart(f"shape-{metric.replace('_', '-')}", title, label, "share of the rows, %", kept))
    text = (
        "The sets of the last iteration of some variants beside the references; bins of ten characters and of 0.1.",
    )
    return Extra("Length and perplexity", text, tuple(charts))


def help_extra(story: Story, reasons: Mapping[str, Mapping[str, int]]) -> Extra:
    """How often help leads to a right answer, by level, and what became of the draws."""
    groups = sorted({group for r in _all(story) for metric, group in r.tail if metric == "row_share"})
    head = ("variant", *(f"level {group}, %" for group in groups), "flags", "not trained on")
    rows = [("plain draws of iteration 0", *_rates(story, story.variants[0], "plain_success", groups), "", "")]
    for variant in story.variants:
        flags = {
            group: value
            for group in sorted({g for r in story.readings(variant, 1) for m, g in r.tail if m == "flags"})
            if (value := story.value(variant, 1, "flags", group))
        }
        rows.append(
            (
                variant.replace("_", " "), *_rates(story, variant, "guided_success", groups),
                _listed(flags), _listed(reasons.get(variant, {})),
            )
        )  # fmt: skip
    text = (
        "The share of right answers among the further draws at iteration 0, by level: only questions that are short of "
        "answers draw further, so these are the hard ones of their level. Flags and reasons are those of the set of "
        "iteration 1.",
    )
    return Extra("What help brings", text, (), (head, *rows))


def control_sentences(story: Story, guided: Sequence[str], control: str = "fill") -> list[str]:
    """Whether guidance beats copies of the references, variant by variant: by more than one standard error or not."""
    if control not in story.variants:
        return []
    sentences = []
    for variant in (v for v in guided if v in story.variants):
        t = min(story.last[variant], story.last[control])
        own, other = story.accuracy(variant, t), story.accuracy(control, t)
        if own is None or other is None or t == 0:
            continue
        error = ((story.spread(variant, t) or 0.0) ** 2 + (story.spread(control, t) or 0.0) ** 2) ** 0.5
        word = "beats" if own - other > error else "loses to" if other - own > error else "does not beat"
        sentences.append(
            f"{variant.replace('_', ' ').capitalize()} {word} the control, which fills deficits with copies of the "
            "reference: "
            f"{_percent(own)} against {_percent(other)} % at iteration {t} (one standard error of the difference: "
            f"{100 * error:.1f} points)."
        )
    return sentences


def claims(story: Story) -> list[tuple[str, str, bool]]:
    """What the method promises, as far as the variants that are run can show it: claim, figures, whether it holds."""
    found: list[tuple[str, str, bool]] = []
    hardest, hard, easy = story.hardest, story.levels[-2:], story.levels[:2]
    pool = story.value(story.variants[0], 0, "row_share", hardest) or 0.0

    def share(variant: str) -> float:
        return story.value(variant, 1, "row_share", hardest) or 0.0

    def coverage(variant: str) -> float:
        return story.value(variant, 1, "coverage", hardest) or 0.0

    def claim(text: str, figures: str, holds: bool) -> None:
        found.append((text, figures, holds))

    if "vanilla" in story.variants:
        claim(
            f"vanilla: level {hardest} has at most half of its share of the pool",
            f"{_percent(share('vanilla'))} % of {_percent(pool)} %", share("vanilla") <= pool / 2,
        )  # fmt: skip
    if {"vanilla", "state_reset"} <= set(story.variants):
        claim(
            f"state reset (floor): at least twice vanilla's share of level {hardest}",
            f"{_percent(share('state_reset'))} against {_percent(share('vanilla'))} %",
            share("state_reset") >= 2 * share("vanilla"),
        )
        claim(
            f"state reset: coverage of level {hardest} at least 20 points above vanilla's",
            f"{_percent(coverage('state_reset'))} against {_percent(coverage('vanilla'))} %",
            coverage("state_reset") >= coverage("vanilla") + 0.2,
        )
        t = min(story.last["vanilla"], story.last["state_reset"])
        ours, theirs = story.accuracy("state_reset", t, hard), story.accuracy("vanilla", t, hard)
        error = ((story.spread("state_reset", t, hard) or 0) ** 2 + (story.spread("vanilla", t, hard) or 0) ** 2) ** 0.5
        if ours is not None and theirs is not None:
            claim(
                f"state reset: accuracy on levels {' and '.join(hard)} above vanilla's by one standard error",
                f"{_percent(ours)} against {_percent(theirs)} %, standard error {100 * error:.1f}",
                ours - theirs >= error,
            )
        ours, theirs = story.accuracy("state_reset", t, easy), story.accuracy("vanilla", t, easy)
        if ours is not None and theirs is not None:
            claim(
                f"state reset: levels {' and '.join(easy)} within 2 points of vanilla's",
                f"{_percent(ours)} against {_percent(theirs)} %", ours >= theirs - 0.02,
            )  # fmt: skip
    if "state_reset_uniform" in story.variants:
        claim(
            f"state reset (uniform): at least 0.9 of the pool's share of level {hardest}",
            f"{_percent(share('state_reset_uniform'))} % of {_percent(pool)} %",
            share("state_reset_uniform") >= 0.9 * pool,
        )  # fmt: skip
    if {"brute", "state_reset"} <= set(story.variants):
        ours, theirs = (story.value(v, 1, "draws", "guided") or 0.0 for v in ("state_reset", "brute"))
        claim(
            "state reset: at most half of brute force's further draws",
            f"{ours:,.0f} against {theirs:,.0f}", ours <= theirs / 2,
        )  # fmt: skip
    return found


def _all(story: Story) -> list[Reading]:
    return [r for variant in story.variants for t in range(story.last[variant] + 1) for r in story.readings(variant, t)]


def _rates(story: Story, variant: str, metric: str, groups: Sequence[str]) -> list[str]:
    return [_percent(story.value(variant, 1, metric, group)) for group in groups]


def _accuracy_row(story: Story, variant: str, t: int, name: str) -> tuple[str, ...]:
    cells = []
    for levels in (*([level] for level in story.levels), story.levels):
        value, error = story.accuracy(variant, t, levels), story.spread(variant, t, levels)
        cells.append("" if value is None else f"{_percent(value)} ± {_percent(error)}")
    return (name, str(t), *cells)


def _chart(
    story: Story,
    name: str,
    title: str,
    unit: str,
    value: Callable[[str, int], float | None],
    error: Callable[[str, int], float | None] | None = None,
) -> Chart:
    """A line a variant over the iterations."""
    lines = []
    for variant in story.variants:
        points = [(t, y) for t in range(story.last[variant] + 1) if (y := value(variant, t)) is not None]
        if points:
            xs, ys = zip(*points, strict=True)
            bands = [1.96 * ((error(variant, t) if error else None) or 0.0) for t in xs]
            low = tuple(100 * (y - band) for y, band in zip(ys, bands, strict=True)) if error else ()
            high = tuple(100 * (y + band) for y, band in zip(ys, bands, strict=True)) if error else ()
            label = variant.replace("_", " ")
            lines.append(Line(label, tuple(map(float, xs)), tuple(100 * y for y in ys), low, high))
    return Chart(name, title, "iteration", unit, tuple(lines))


def _cost_chart(story: Story) -> Chart:
    """Accuracy against what was generated for it: the fair comparison."""
    lines = []
    for variant in story.variants:
        points = [
            (story.tokens(variant, t) / 1000, 100 * accuracy)
            for t in range(story.last[variant] + 1)
            if (accuracy := story.accuracy(variant, t)) is not None
        ]
        if points:
            xs, ys = zip(*points, strict=True)
            lines.append(Line(variant.replace("_", " "), tuple(xs), tuple(ys)))
    return Chart(
        "accuracy-cost", "accuracy against its price", "thousand tokens generated", "accuracy, %", tuple(lines)
    )


def _histogram(story: Story, label: str, variant: str, t: int, metric: str) -> Line:
    groups = sorted({group for r in story.readings(variant, t) for m, group in r.tail if m == metric})
    ys = tuple(100 * (story.value(variant, t, metric, group) or 0.0) for group in groups)
    return Line(label.replace("_", " "), tuple(float(group) for group in groups), ys)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _count(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {n:,.0f}" for name, n in counts.items())
