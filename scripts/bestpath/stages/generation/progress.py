"""How far a run is: a bar on a terminal, quiet lines in a log, and a small file that other programs can read."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from bestpath.core.io import write_json

_BAR_EVERY_S = 0.5
_FILE_EVERY_S = 5.0
_LINE_EVERY_S = 20.0


class Progress:
    """Shows problems done, tokens a second and the time to go.

    On a terminal as a bar; elsewhere as a line a minute. With `path`, also as a JSON file, replaced every few seconds.
    """

    def __init__(self, label: str, path: Path | str | None = None, stream: TextIO | None = None) -> None:
        self._label = label
        self._path = Path(path) if path else None
        self._stream = stream or sys.stderr
        self._bar: tqdm[None] | None = None
        self._total = self._resumed = self._done = 0
        self._generations = self._scores = self._tokens = 0
        self._started = self._next_bar = self._next_file = self._next_line = time.monotonic()

    def start(self, total: int, resumed: int) -> None:
        """Begin with `resumed` of `total` problems done in an earlier run."""
        self._total, self._resumed, self._done = total, resumed, resumed
        self._started = time.monotonic()
        self._next_line = self._started + _LINE_EVERY_S
        if resumed:
            print(f"{self._label}: {resumed} of {total} problems were finished before", file=self._stream)
        if self._stream.isatty():
            self._bar = tqdm(
                total=total, initial=resumed, desc=self._label, unit="problem", file=self._stream, smoothing=0.0
            )
        self._show()

    def generated(self, tokens: int) -> None:
        """One more completion, of so many tokens."""
        self._generations += 1
        self._tokens += tokens
        self._show()

    def scored(self) -> None:
        """One more score."""
        self._scores += 1
        self._show()

    def problem_done(self) -> None:
        """One more problem is finished."""
        self._done += 1
        self._show()

    def close(self) -> None:
        """Show where the run ended."""
        if self._bar is not None:
            self._update_bar()
            self._bar.close()
            self._bar = None
        elif self._done > self._resumed or self._generations or self._scores:
            self._print_line()
        self._write_file()

    @property
    def tokens_per_second(self) -> float:
        """The mean rate of this run so far."""
        return self._tokens / max(time.monotonic() - self._started, 1e-9)

    @property
    def seconds_to_go(self) -> float | None:
        """At this run's rate of problems; None while no problem is finished."""
        new = self._done - self._resumed
        return (time.monotonic() - self._started) / new * (self._total - self._done) if new else None

    def _show(self) -> None:
        now = time.monotonic()
        if self._bar is not None and now >= self._next_bar:
            self._next_bar = now + _BAR_EVERY_S
            self._update_bar()
        if self._bar is None and now >= self._next_line:
            self._next_line = now + _LINE_EVERY_S
            self._print_line()
        if now >= self._next_file:
            self._next_file = now + _FILE_EVERY_S
            self._write_file()

    def _update_bar(self) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self.tokens_per_second:,.0f} tokens/s", refresh=False)
            self._bar.update(self._done - self._bar.n)
            self._bar.refresh()

    def _print_line(self) -> None:
        to_go = self.seconds_to_go
        rest = "" if to_go is None else f", {_duration(to_go)} to go"
        scores = f"{self._scores} scores, " if self._scores else ""
        print(
            f"{self._label}: {self._done}/{self._total} problems, {self._generations} completions, {scores}"
            f"{self.tokens_per_second:,.0f} tokens/s{rest}",
            file=self._stream,
            flush=True,
        )

    def _write_file(self) -> None:
        if self._path is None:
            return
        write_json(
            self._path,
            {
                "total": self._total,
                "done": self._done,
                "resumed": self._resumed,
                "generations": self._generations,
                "scores": self._scores,
                "tokens": self._tokens,
                "tokens_per_s": round(self.tokens_per_second, 1),
                "elapsed_s": round(time.monotonic() - self._started, 1),
                "eta_s": None if self.seconds_to_go is None else round(self.seconds_to_go, 1),
                "written_at": round(time.time()),
            },
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
