"""The answers of an endpoint, kept: whatever becomes of a run, no answer that was received is paid for again.

A folder of JSON Lines files. Every process writes a file of its own and reads those of all when it starts: there is
one writer a file, so nothing needs a lock, on a network file system neither, and jobs on several machines share the
folder. Lines are only ever appended and check themselves; what a kill left torn is passed over.

A line is one event of one request, known by the digest of everything that was sent, and names the role of the job that
asked it:

    asked       about to be sent; stands before every attempt
    refused     the server did not do it: nothing to pay
    answered    with the text and what it cost in tokens
    reused      another job has paid for the answer

An attempt that was asked and neither refused nor answered is lost: cut off on the way, given up or under way when the
process was killed. The server may have charged for it.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.stages.generation.lines import entry_of, line_of

_log = logging.getLogger(__name__)
_SYNC_EVERY_S = 5.0
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")


@dataclass(frozen=True)
class Answer:
    """What the server answered. `cached_tokens` are those prompt tokens that its cache held."""

    text: str
    finish: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    version: str


class ResponseStore:
    """The answers in `folder`, and the accounts of one job: everything that each of its roles ever asked, in all its
    processes.

    Raises UserError when the folder cannot be written.
    """

    def __init__(self, folder: Path, job: str) -> None:
        self._path = folder / f"{job}-{uuid.uuid4().hex[:12]}.jsonl"
        self._places: dict[str, tuple[Path, int]] = {}
        self._mine: set[str] = set()
        self._accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._versions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob("*.jsonl")):
                self._read(path, own=path.name.rpartition("-")[0] == job)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            raise UserError(f"cannot use {folder} ({error.strerror}); make it readable and writable") from error
        self._end = 0
        self._synced = time.monotonic()

    def get(self, request: str, role: str) -> Answer | None:
        """The answer to a request of a role, if it is known; it is reused if another job has paid for it."""
        if request not in self._places:
            return None
        path, start = self._places[request]
        with path.open("rb") as stream:
            stream.seek(start)
            event = entry_of(stream.readline())
        if event is None:
            raise UserError(f"{path} was changed while it was in use; start again")
        answer = Answer(**{name: event[name] for name in Answer.__dataclass_fields__})
        if request not in self._mine:
            self._add("reused", request, role, **{name: event[name] for name in (*_TOKENS, "version")})
        return answer

    def asked(self, request: str, role: str) -> None:
        """Note that a request is about to be sent."""
        self._add("asked", request, role)

    def refused(self, request: str, role: str) -> None:
        """Note that the server did not do it."""
        self._add("refused", request, role)

    def answered(self, request: str, role: str, answer: Answer) -> None:
        """Keep an answer."""
        self._places[request] = (self._path, self._end)
        self._add("answered", request, role, **asdict(answer))

    def account(self, role: str) -> dict[str, Any]:
        """A role's attempts by outcome, the tokens paid and reused, and the versions of the model that answered."""
        count = self._accounts[role]
        return {
            "asked": count["asked"],
            "answered": count["answered"],
            "refused": count["refused"],
            "lost": count["asked"] - count["answered"] - count["refused"],
            "reused": count["reused"],
            "paid_tokens": {name: count[f"answered {name}"] for name in _TOKENS},
            "reused_tokens": {name: count[f"reused {name}"] for name in _TOKENS},
            "model_versions": dict(sorted(self._versions[role].items())),
        }

    def close(self) -> None:
        """Bring everything to the disk. A process that noted nothing leaves no file."""
        if self._file >= 0:
            self._sync()
            os.close(self._file)
            self._file = -1
            if not self._end:
                self._path.unlink(missing_ok=True)

    def _read(self, path: Path, own: bool) -> None:
        start = damaged = 0
        with path.open("rb") as stream:
            for line in stream:
                event = entry_of(line)
                if event is None:
                    damaged += 1
                else:
                    if event["event"] == "answered":
                        self._places[event["request"]] = (path, start)
                    if own:
                        self._enter(event)
                start += len(line)
        if damaged:
            _log.warning("%s: %d unfinished or damaged lines passed over", path, damaged)

    def _add(self, event: str, request: str, role: str, **values: Any) -> None:
        entry = {"event": event, "request": request, "role": role, **values}
        data = line_of(json.dumps(entry))
        self._end += len(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise UserError(f"cannot write {self._path} ({error.strerror}); free some space and start again") from error
        self._enter(entry)
        if time.monotonic() - self._synced > _SYNC_EVERY_S:
            self._sync()

    def _enter(self, event: Mapping[str, Any]) -> None:
        """Enter an event of this job into the account of its role."""
        kind, account = event["event"], self._accounts[event["role"]]
        account[kind] += 1
        if kind in ("answered", "reused"):
            self._mine.add(event["request"])
            self._versions[event["role"]][event["version"]] += 1
            account.update({f"{kind} {name}": event[name] for name in _TOKENS})

    def _sync(self) -> None:
        with suppress(OSError):  # some file systems cannot; the lines are with the operating system all the same
            os.fsync(self._file)
        self._synced = time.monotonic()
