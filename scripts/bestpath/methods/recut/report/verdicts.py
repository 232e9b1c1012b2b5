"""What the merges are worth, in sentences computed from the results."""

from __future__ import annotations

from collections.abc import Iterable

from bestpath.core.systems import SystemRow
from bestpath.stages.evaluation.verdicts import by_decoding, dominating
from bestpath.stages.evaluation.words import listed, percent


def merge_verdicts(lines: Iterable[SystemRow]) -> list[str]:
    """For every data set and decoding, which merges lose to a system that needed no merge, and which hold.

    A merge loses when the base, or an unmerged system of its method in its variant or the main one, dominates it.
    """
    sentences = []
    for place, here in by_decoding(lines).items():
        holding = []
        for merge in (line for line in here if line.kind == "merged"):
            better = dominating(merge, (line for line in here if _is_rival(line, merge)))
            if better:
                best = max(better, key=lambda line: (line.accuracy or 0.0, -(line.tokens or 0.0)))
                versus = f"{_spot(merge)} against {_spot(best)}"
                sentences.append(f"{', '.join(place)}: {merge.system} loses to {best.system}, {versus}.")
            else:
                holding.append(merge.system)
        if holding:
            sentences.append(f"{', '.join(place)}: no unmerged system beats {listed(holding)} on both counts.")
    return sentences


def _is_rival(line: SystemRow, merge: SystemRow) -> bool:
    if line.kind == "base":
        return True
    return line.kind != "merged" and line.method == merge.method and line.variant in {merge.variant, "main"}


def _spot(line: SystemRow) -> str:
    return f"{percent(line.accuracy)} % with {'no' if line.tokens is None else f'{line.tokens:.1f}'} tokens"
