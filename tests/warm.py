"""Programs in processes that need not import the libraries first, which is most of what a small job costs.

A server imports them once for a whole test run and forks a process for everybody who asks. The fork takes over folder,
environment, arguments and open files of who asked, ends when that process does, and imports all of the project anew.
Tests that kill a run or its jobs start processes of their own.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

LIBRARIES = (
    *("snakemake.cli", "snakemake_executor_plugin_slurm", "jinja2", "pydantic", "yaml"),
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "matplotlib.figure"),
    *("torch", "transformers", "transformers.models.llama.modeling_llama", "peft", "datasets", "deepspeed"),
    *("trl.trainer.dpo_trainer", "trl.trainer.sft_trainer", "mergekit.merge"),
)
SETTINGS = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
"""The environment variables that libraries read while they are imported, as the rules set them."""


def run_warm(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, timeout: float = 1800
) -> subprocess.CompletedProcess[str]:
    """Run a program of Python, the first of `command`, to its end; `python` in shells that it starts is warm, too."""
    with tempfile.TemporaryDirectory() as kept, Path(os.devnull).open() as nothing:
        printed = [Path(kept, name) for name in ("stdout", "stderr")]
        with printed[0].open("w") as out, printed[1].open("w") as err:
            files = [nothing.fileno(), out.fileno(), err.fileno()]
            python = warm_python()
            asked = _ask(python.parent, command, folder, dict(environment or os.environ), files, executable=str(python))
        with asked:
            asked.settimeout(timeout)
            code = _answer(asked)
        ended_by = -(code - 128) if code > 128 else code  # a signal, as subprocess tells it
        return subprocess.CompletedProcess(command, ended_by, *(path.read_text() for path in printed))


@cache
def warm_python() -> Path:
    """A warm `python`, whose server is started by the first process of a test run that needs it."""
    from filelock import FileLock

    testrun, owner = os.environ.get("PYTEST_XDIST_TESTRUNUID"), os.getppid()
    if testrun is None:
        testrun, owner = str(os.getpid()), os.getpid()
    folder = Path(tempfile.gettempdir(), f"warm-{testrun}")
    python = folder / "python"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not python.exists():
            itself = f'"{sys.executable}" -IS "{__file__}"'
            python.write_text(f'#!/bin/sh\nexec {itself} --ask "{folder}" "{sys.executable}" "$@"\n')
            python.chmod(0o755)
            command = [sys.executable, __file__, "--serve", str(folder), str(owner)]
            with (folder / "log").open("w") as log:
                environment = {**os.environ, **SETTINGS}
                server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
            while not (folder / "socket").exists():
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.01)
    return python


def _ask(
    folder: Path, command: Sequence[str], cwd: Path, environment: Mapping[str, str], files: list[int], executable: str
) -> socket.socket:
    """Ask for a process; what comes back tells its exit code, and closing it ends the process."""
    request = {"command": list(command), "folder": str(cwd), "environment": environment, "executable": executable}
    text = json.dumps(request).encode()
    asked = socket.socket(socket.AF_UNIX)
    asked.connect(str(folder / "socket"))
    socket.send_fds(asked, [len(text).to_bytes(8)], files)
    asked.sendall(text)
    return asked


def _answer(asked: socket.socket) -> int:
    code = asked.recv(1)
    return code[0] if code else 1


def _serve(folder: Path, owner: int) -> tuple[dict[str, Any], list[int]]:
    """Fork for everybody who asks until the owner ends; in the forks it returns what was asked, and the files."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(os.pidfd_open(owner), selectors.EVENT_READ)
    for name in LIBRARIES:
        import_module(name)
    gc.freeze()
    running: dict[int, socket.socket] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                size, files, *_ = socket.recv_fds(client, 8, 4)
                with client.makefile("rb") as stream:
                    request = json.loads(stream.read(int.from_bytes(size)))
                pid = os.fork()
                if not pid:
                    for ours in (waiting, listener, client):
                        ours.close()
                    return request, files
                for file in files:
                    os.close(file)
                running[pid] = client
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                waiting.register(client, selectors.EVENT_READ, pid)
            elif key.data is None:  # the owner has ended
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                subprocess.run(["rm", "-rf", str(folder)])
                sys.exit()
            elif isinstance(key.fileobj, int):  # a process has ended
                client = running.pop(key.data)
                code = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                with suppress(BrokenPipeError):
                    client.send(bytes([code if code >= 0 else 128 - code]))
                waiting.unregister(key.fileobj)
                os.close(key.fileobj)
                with suppress(KeyError):
                    waiting.unregister(client)
                client.close()
            elif key.data in running:  # who asked has gone
                os.kill(key.data, signal.SIGKILL)
                waiting.unregister(key.fileobj)


def _become(request: Mapping[str, Any], files: list[int]) -> None:
    """Be the process that was asked for."""
    for descriptor, file in enumerate(files):
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.executable, sys.argv = request["executable"], request["command"]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [str(Path(sys.argv[0]).resolve().parent), *filter(None, paths)]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _main() -> None:
    role, folder, *rest = sys.argv[1:]
    if role == "--serve":
        _become(*_serve(Path(folder), int(rest[0])))
        return
    executable, *command = rest
    if not command or not command[0].endswith(".py"):  # an option such as -m
        os.execv(executable, [executable, *command])
    files = [0, 1, 2, *([3] if os.path.exists("/proc/self/fd/3") else [])]
    sys.exit(_answer(_ask(Path(folder), command, Path.cwd(), dict(os.environ), files, executable)))


if __name__ == "__main__":
    _main()
