"""The order of trials and candidates, and between modes."""

from __future__ import annotations

from bestpath.core.tables import Row

MODE_RANK = {"short": 0, "neutral": 1, "long": 2}
"""Ties between modes go to the smaller rank."""


def draw_order(row: Row) -> tuple[int, int, int]:
    """Sort key of trials and candidates: by round, short before long, by sample."""
    return row["round"], MODE_RANK[row["mode"]], row["index"]
