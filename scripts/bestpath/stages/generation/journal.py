"""What finished problems found, kept safe while a run goes on, so that a killed run loses only problems under way.

JSON Lines, appended to. The first line holds the key of the run; every other line is one finished problem. Each
line carries the CRC-32 of its content. What a kill or a crash left behind the last good line is cut off.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.tables import Row
from bestpath.stages.generation.lines import entry_of, line_of

_log = logging.getLogger(__name__)
_SYNC_EVERY_S = 5.0


@dataclass(frozen=True)
class Usage:
    """Completions, and their tokens."""

    completions: int = 0
    tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.completions + other.completions, self.tokens + other.tokens)


@dataclass(frozen=True)
class Finished:
    """The rows that a problem's search returned, and what they cost, by role."""

    rows: list[Row]
    usage: Mapping[str, Usage]


class Journal:
    """The journal of one run at `path`; `finished` maps the problems finished so far to what they found.

    `key` is a digest of everything that the results depend on: inputs, parameters, code. A journal of another key is
    discarded, with one line in the log. A line reaches the operating system when it is added, so a killed process
    loses none; it reaches the disk within seconds and when the journal is closed.

    Raises UserError when another process writes the same journal, or the file cannot be written.
    """

    def __init__(self, path: Path | str, key: str) -> None:
        self.path = Path(path)
        self.finished: dict[str, Finished] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise UserError(f"cannot write {self.path} ({error.strerror}); make its folder writable") from error
        self._lock()
        self._resume(key)
        self.resumed_problems = len(self.finished)
        usages = [usage for entry in self.finished.values() for usage in entry.usage.values()]
        self.resumed_generations = sum(usage.completions for usage in usages)
        self._synced = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, problem_id: str, finished: Finished) -> None:
        """Record a finished problem. Its rows become what a later run would read: plain JSON."""
        usage = {role: [used.completions, used.tokens] for role, used in finished.usage.items()}
        content = json.dumps({"problem": problem_id, "usage": usage, "rows": finished.rows})
        self._write(content)
        self._take(json.loads(content))
        if time.monotonic() - self._synced > _SYNC_EVERY_S:
            self._sync()

    def close(self) -> None:
        """Bring everything to the disk and let go of the file."""
        if self._file >= 0:
            self._sync()
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Close and delete the journal: the run's outputs are written, nothing needs to be resumed any more."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise UserError(
                f"another process is writing {self.path}; wait for it, or end it, before you start this run again"
            ) from None
        except OSError:
            _log.debug("%s: this file system has no locks", self.path)

    def _resume(self, key: str) -> None:
        """Read the good lines, cut off the rest, and begin anew if the journal is not of this run."""
        end = 0
        found_key: str | None = None
        for entry, entry_end in self._good_lines():
            if not end:
                found_key = entry.get("key")
                if found_key != key:
                    break
            else:
                self._take(entry)
            end = entry_end
        size = os.fstat(self._file).st_size
        if found_key not in (None, key):
            _log.warning("%s is of other inputs, settings or code: discarded, the run begins anew", self.path)
        elif size > end:
            _log.warning("%s: %d bytes of an unfinished or damaged line cut off", self.path, size - end)
        os.ftruncate(self._file, end)
        if not end:
            self._write(json.dumps({"key": key}))

    def _good_lines(self) -> Iterator[tuple[dict[str, Any], int]]:
        """The entries up to the first line that is torn or damaged, each with the place where its line ends."""
        end = 0
        with self.path.open("rb") as stream:
            for line in stream:
                entry = entry_of(line)
                if entry is None:
                    return
                end += len(line)
                yield entry, end

    def _take(self, entry: dict[str, Any]) -> None:
        usage = {role: Usage(*counts) for role, counts in entry["usage"].items()}
        self.finished[entry["problem"]] = Finished(entry["rows"], usage)

    def _write(self, content: str) -> None:
        data = line_of(content)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise UserError(f"cannot write {self.path} ({error.strerror}); free some space and start again") from error

    def _sync(self) -> None:
        with suppress(OSError):  # some file systems cannot; the lines are with the operating system all the same
            os.fsync(self._file)
        self._synced = time.monotonic()
