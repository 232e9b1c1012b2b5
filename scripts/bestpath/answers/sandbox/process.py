"""One run of one program: started, watched, and ended with everything that it has started."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bestpath.answers.sandbox.isolation import Level, Limits, command, environment
from bestpath.core.search import Ran, RunStatus
from bestpath.runtime.descendants import descendants, kill_descendants
from bestpath.runtime.tools import tool

_PR_SET_PDEATHSIG = 1
_WATCH_S = 0.05
_READS = 64  # of at most 64 KiB each, before the limits are checked again
_MOST_ERROR = 10_000  # bytes of stderr; the last line matters


def run_program(text: str, level: Level, limits: Limits) -> Ran:
    """Run the text of a program at a level of isolation. Never raises for what the program does."""
    with _folders(text) as (program, folder):
        started = time.monotonic()
        first, *others = command(level, program, folder, limits)
        process = subprocess.Popen(
            [tool(first) or first, *others],  # found as `missing` looks for it, not along the PATH of the program
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # no session, which Linux may schedule as one unit: it starves where ours weighs more
            preexec_fn=_die_with_parent,
        )
        try:
            watch = _Watch(process, limits, started)
            watch.to_end()
        finally:
            _end(process)
        return watch.result(level)


class _Watch:
    """Reads what a process says, as long as it may run."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, started: float) -> None:
        self._process = process
        self._limits = limits
        self._started = started
        self._said = {"stdout": bytearray(), "stderr": bytearray()}
        self._status: RunStatus | None = None
        self._seconds = 0.0
        self._cpu_s = 0.0

    def to_end(self) -> None:
        """Until the process ends, or has used up something."""
        deadline = self._started + self._limits.wall_s
        looked = self._started
        with selectors.DefaultSelector() as streams:
            for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
                streams.register(stream, selectors.EVENT_READ, name)
            while self._process.poll() is None and self._status is None:
                if streams.get_map():
                    for key, _ in streams.select(_WATCH_S):
                        if not self._read(key.fd, key.data):
                            streams.unregister(key.fileobj)
                else:
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(_WATCH_S)
                if (now := time.monotonic()) > deadline:
                    self._status = "timeout"
                elif now > looked + _WATCH_S:
                    self._status, looked = self._overuse(), now
            for key in list(streams.get_map().values()):
                self._read(key.fd, key.data)
        self._seconds = time.monotonic() - self._started

    def result(self, level: Level) -> Ran:
        """What became of the program."""
        stdout, stderr = (bytes(said).decode(errors="replace") for said in self._said.values())
        error = (stderr.strip().splitlines() or [""])[-1][:300] or None
        status = self._status or self._ended_by_itself(stdout, error)
        return Ran(status, stdout[: self._limits.output_bytes], error, round(self._seconds, 3), level)

    def _ended_by_itself(self, stdout: str, error: str | None) -> RunStatus:
        code = self._process.returncode
        if code == 0:
            return "ok" if stdout.strip() else "no_output"
        if error and error.startswith("MemoryError"):
            return "oom"
        if 0 <= code <= 128 and not (error and error.startswith("unshare:")):  # unshare says that its child was killed
            return "error"
        return "timeout" if self._cpu_s > 0.8 * self._limits.cpu_s else "killed"

    def _read(self, descriptor: int, name: str) -> bool:
        """Take what a stream holds; keep what is wanted of it. False at its end."""
        said, most = self._said[name], self._limits.output_bytes if name == "stdout" else _MOST_ERROR
        for _ in range(_READS):
            try:
                data = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                return True
            said += data
            if name == "stdout":
                del said[most:]
            else:
                del said[:-most]
            if not data:
                return False
        return True

    def _overuse(self) -> RunStatus | None:
        """Whether the processes together are too many, take too much memory, or have worked for too long."""
        members = [self._process.pid, *descendants(self._process.pid)]
        memory, cpu_s = 0, 0.0
        for member in members[: self._limits.processes + 5]:
            with suppress(psutil.Error):
                process = psutil.Process(member)
                memory += process.memory_info().rss
                cpu_s += sum(process.cpu_times()[:4])  # its own and that of its children that have ended
        self._cpu_s = max(self._cpu_s, cpu_s)
        if len(members) > self._limits.processes + 5:  # the isolation has some of its own
            return "killed"
        if memory > self._limits.memory_mb << 20:
            return "oom"
        return "timeout" if cpu_s > self._limits.cpu_s else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it has started; those within a namespace end with their first one."""
    first = descendants(process.pid)[:1]  # of a namespace, whose other processes end with it
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in first:
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    kill_descendants(process.pid)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


@contextmanager
def _folders(text: str) -> Iterator[tuple[Path, Path]]:
    """A program's file and an empty folder, both removed afterwards; the user `nobody` can read them."""
    with tempfile.TemporaryDirectory(prefix="bestpath-") as name:
        root = Path(name)
        root.chmod(0o755)
        program, folder = root / "program.py", root / "folder"
        program.write_text(text, encoding="utf-8", errors="replace")
        program.chmod(0o444)
        folder.mkdir()
        yield program, folder


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
