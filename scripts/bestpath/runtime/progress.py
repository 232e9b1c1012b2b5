"""Progress bars: drawn over themselves on a terminal, and told in lines elsewhere."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from tqdm import tqdm

_REDRAW_EVERY_S = 0.5
_LINE_EVERY_S = 15.0
_LINE = "{desc}: {n_fmt}/{total_fmt} {unit}s, {rate_fmt}{postfix}, {remaining} to go"


def progress_stream() -> TextIO:
    """Where progress is shown: the descriptor or path that a rule names; errors go to the job's log.

    Of several processes that train together, the first one shows it.
    """
    if os.environ.get("RANK", "0") != "0":
        return open(os.devnull, "w", encoding="utf-8")
    stream = os.environ.get("BESTPATH_PROGRESS_FD")
    if stream is None:
        return sys.stderr
    return os.fdopen(int(stream), "w", closefd=False) if stream.isdigit() else open(stream, "w", encoding="utf-8")


def progress_bar(label: str, unit: str, total: int, done: int = 0) -> tqdm[Any]:
    """A bar over `total` units, `done` of them in an earlier run. In a log, work of a few seconds makes no lines."""
    stream = progress_stream()
    kind: dict[str, Any] = {"file": stream, "mininterval": _REDRAW_EVERY_S}
    if not stream.isatty():
        kind = {"file": _Lines(stream), "mininterval": _LINE_EVERY_S, "maxinterval": 60, "bar_format": _LINE}
        kind["leave"] = False
    return tqdm(total=total, initial=done, desc=label, unit=unit, **kind)


class _Lines:
    """A stream in which every state of a bar is a line of its own; one that has not moved is left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write what was drawn as a line."""
        line = text.replace("\r", "").strip()
        if line and ": 0/" not in line:
            print(line, file=self._stream)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()
