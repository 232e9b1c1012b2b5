"""What the exploration did, counted from the trials table: rounds, modes, reasons to stop, rewards."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bestpath.core.tables import Row
from bestpath.methods.recut.report.words import meaning
from bestpath.stages.report.blocks import Bars, Block, Column, Estimate, Line, Spread, Spreads, Table, Text, lines_of
from bestpath.stages.report.data import Section

MODES = ("long", "short", "neutral")
"""In the order of their colours."""

MOST_SEQUENCES = 12


@dataclass(frozen=True)
class ModeRow:
    """The completions asked for under one mode, and the steps kept from them."""

    mode: str
    completions: int
    correct: float
    tokens: float
    truncated: float
    kept: int
    step_tokens: float | None


@dataclass(frozen=True)
class Exploration:
    """What the exploration did; counts are of problems unless named otherwise.

    `sequences` are the modes of the kept steps, the most frequent sequence first; `rewards` are those of the
    completions whose step was kept, by round and mode.
    """

    problems: int
    solved: int
    completions: int
    generated_tokens: int
    rounds: tuple[tuple[int, int], ...]
    sequences: tuple[tuple[tuple[str, ...], int], ...]
    stops: tuple[tuple[str, int], ...]
    modes: tuple[ModeRow, ...]
    rewards: tuple[tuple[int, str, tuple[float, ...]], ...]


def exploration_of(trials: Sequence[Row], optimal: Iterable[Row], count_tokens: Callable[[str], int]) -> Exploration:
    """Rounds used, modes kept, reasons to stop, and what each mode's completions are like.

    `optimal` tells which problems are solved; `count_tokens` measures the kept steps.
    """
    solved = [row["solved"] for row in optimal]
    rounds: Counter[int] = Counter()
    sequences: Counter[tuple[str, ...]] = Counter()
    stops: Counter[str] = Counter()
    for rows in _by(trials, "problem_id").values():
        kept = sorted((row for row in rows if row["chosen"]), key=lambda row: row["round"])
        rounds[max(row["round"] for row in rows)] += 1
        sequences[tuple(row["mode"] for row in kept)] += 1
        stops[next((row["stop"] for row in rows if row["stop"]), "unfinished")] += 1
    return Exploration(
        problems=len(solved),
        solved=sum(solved),
        completions=len(trials),
        generated_tokens=sum(row["n_tokens"] for row in trials),
        rounds=tuple(sorted(rounds.items())),
        sequences=tuple(sorted(sequences.items(), key=lambda item: (-item[1], item[0]))),
        stops=tuple(stops.most_common()),
        modes=tuple(_mode_row(mode, rows, count_tokens) for mode, rows in sorted(_by(trials, "mode").items())),
        rewards=_rewards(trials),
    )


def section_of(exploration: Exploration) -> Section:
    """The exploration as a section."""
    return Section("Exploration", tuple(_blocks(exploration)))


def _blocks(e: Exploration) -> Iterator[Block]:
    yield Text(
        (
            f"{e.solved:,} of {e.problems:,} problems ({100 * e.solved / e.problems:.1f} %) were solved at least once, "
            f"with {e.completions:,} completions, {e.completions / e.problems:.1f} a problem, and "
            f"{e.generated_tokens:,} generated tokens. A completion is worth its correctness, 1 or -1, divided by its "
            "length; the better-rewarded one gives the next step.",
        )
    )
    if e.rewards:
        caption = (
            "Rewards of the completions whose step was kept: medians, middle halves and counts. Above zero the "
            "completion is correct, below it is wrong; the shorter a completion, the farther from zero."
        )
        spreads = tuple(Spread(f"{mode} kept", round_, values) for round_, mode, values in e.rewards)
        tones = tuple(f"{mode} kept" for mode in MODES)
        yield Spreads("rewards", "round", "reward of the kept completion", spreads, tones, caption)
    yield Table(MODE_COLUMNS, tuple(map(_mode_line, e.modes)), "Completions by mode")
    yield Bars("Rounds used", tuple((str(n), count) for n, count in e.rounds))
    yield Bars("Why the search ended", tuple((meaning(stop), count) for stop, count in e.stops))
    further = e.sequences[MOST_SEQUENCES:]
    rest = f"{len(further)} other sequences, on {sum(n for _, n in further):,} problems." if further else ""
    shown = tuple((sequence or "nothing kept", n) for sequence, n in e.sequences[:MOST_SEQUENCES])
    yield Bars("Modes of the kept steps", shown, MODES, rest)
    if e.rewards:
        rows = [(n, mode, len(values), Estimate(sum(values) / len(values))) for n, mode, values in e.rewards]
        yield Table(REWARD_COLUMNS, lines_of(rows), "Rewards of the kept completions", "rewards", folded=True)


MODE_COLUMNS = (
    Column("mode", "Mode"),
    Column("completions", "Completions", "count"),
    Column("correct", "Correct, %", "percent"),
    Column("mean tokens", "Mean tokens", "number"),
    Column("cut off", "Cut off, %", "percent"),
    Column("steps kept", "Steps kept", "count"),
    Column("step tokens", "Tokens of a kept step", "number"),
)

REWARD_COLUMNS = (
    Column("round", "Round", "count"),
    Column("mode", "Mode"),
    Column("kept", "Kept", "count"),
    Column("mean reward", "Mean reward", "significant"),
)


def _mode_line(row: ModeRow) -> Line:
    return Line((row.mode, row.completions, row.correct, row.tokens, row.truncated, row.kept, row.step_tokens))


def _rewards(trials: Iterable[Row]) -> tuple[tuple[int, str, tuple[float, ...]], ...]:
    """The rewards of the chosen completions, by round and mode."""
    cells: dict[tuple[int, str], list[float]] = defaultdict(list)
    for row in trials:
        if row["chosen"] and row["reward"] is not None and math.isfinite(row["reward"]):
            cells[row["round"], row["mode"]].append(row["reward"])
    return tuple((*key, tuple(sorted(cells[key]))) for key in sorted(cells))


def _mode_row(mode: str, rows: Sequence[Row], count_tokens: Callable[[str], int]) -> ModeRow:
    steps = [count_tokens(row["step"]) for row in rows if row["chosen"]]
    return ModeRow(
        mode=mode,
        completions=len(rows),
        correct=_share(row["verdict"] == "correct" and row["finish_reason"] == "stop" for row in rows),
        tokens=sum(row["n_tokens"] for row in rows) / len(rows),
        truncated=_share(row["finish_reason"] == "length" for row in rows),
        kept=len(steps),
        step_tokens=sum(steps) / len(steps) if steps else None,
    )


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def _share(conditions: Iterable[bool]) -> float:
    values = list(conditions)
    return sum(values) / len(values)
