"""What the exploration did, counted from the trials table."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from bestpath.core.tables import Row
from bestpath.stages.report.data import Exploration, ModeRow, RewardCell


def rewards_of(trials: Iterable[Row]) -> tuple[RewardCell, ...]:
    """The rewards of the chosen completions, by round and mode."""
    cells: dict[tuple[int, str], list[float]] = defaultdict(list)
    for row in trials:
        if row["chosen"] and row["reward"] is not None and math.isfinite(row["reward"]):
            cells[row["round"], row["mode"]].append(row["reward"])
    return tuple(RewardCell(*key, tuple(sorted(cells[key]))) for key in sorted(cells))


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
    )


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
