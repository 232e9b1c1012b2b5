"""The program as a job runs it, at an endpoint: killed and started again, and with a key that must never be seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bestpath.core.problems import PROBLEMS
from bestpath.core.search import Completion
from bestpath.core.tables import read_table, write_table
from bestpath.stages.evaluation.tables import SAMPLES
from tests.conftest import ROOT
from tests.stages.generation.endpoint_server import Body, ChatServer, by_words, endpoint, sometimes

KEY = "sk-never-to-be-seen-0117"
SLOTS = 4
N_PROBLEMS, N_REQUESTS = 24, 72


class Job:
    """The program in a folder of its own, asking a server."""

    def __init__(self, folder: Path, server: ChatServer) -> None:
        folder.mkdir()
        self.folder = folder
        problems = [
            {
                **dict.fromkeys(PROBLEMS.columns),
                **{"problem_id": f"p{i}", "dataset": "d", "question": f"pears {i}?", "answer": str(i)},
                **{"kind": "number", "split": "train"},
            }
            for i in range(N_PROBLEMS)
        ]
        write_table(folder / "problems.parquet", PROBLEMS, problems)
        (folder / "manifest.json").write_text("{}")
        (folder / "prompt.jinja").write_text("{{ problem }}")
        decodings = {"greedy": (0.0, 1), "sampled": (0.8, 2)}
        greedy_and_sampled = {
            name: {"temperature": temperature, "top_p": 1.0, "top_k": 0, "samples": samples}
            for name, (temperature, samples) in decodings.items()
        }
        patience = {"first_pause_s": 0.01, "timeout_s": 4.0, "attempts": 20}
        actor, limits = endpoint(server.url, "responses", SLOTS, key_variable="SOME_KEY", **patience)
        options = {
            "problems": "problems.parquet",
            "part": "all",
            "models": "actor=manifest.json",
            "prompts": "plain=prompt.jinja",
            "decodings": json.dumps(greedy_and_sampled),
            "engines": json.dumps({"actor": actor}),
            "limits": json.dumps({"actor": limits}),
            "max-tokens": "40",
            "seed": "1",
            "label": "test",
            "work": "work",
            "samples": "samples.parquet",
            "usage": "usage.json",
        }
        program = str(ROOT / "scripts/evaluate_sample.py")
        self.command = [sys.executable, program, *(part for k, v in options.items() for part in (f"--{k}", v))]

    def start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "SOME_KEY": KEY}
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe, text=True)

    @property
    def usage(self) -> dict:
        return json.loads((self.folder / "usage.json").read_text())["roles"]["actor"]

    def stored(self) -> int:
        files = (self.folder / "responses").glob("*.jsonl")
        return sum(file.read_bytes().count(b'"event": "answered"') for file in files)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(by_words, key=KEY) as server:
        yield server


def killing(process: list[subprocess.Popen[str]], after: int) -> Callable[[Body], Completion]:
    """Answers as ever, and kills the client before the next answer after so many."""
    left = [after]

    def answer(body: Body) -> Completion:
        left[0] -= 1
        if left[0] == 0:
            os.kill(process[0].pid, signal.SIGKILL)
            process[0].wait()
        return by_words(body)

    return answer


def test_a_killed_run_goes_on_and_repeats_no_answered_request(tmp_path: Path, server: ChatServer) -> None:
    whole = Job(tmp_path / "whole", server)
    assert whole.start().wait() == 0
    assert len(server.served) == N_REQUESTS == whole.usage["completions"]

    job = Job(tmp_path / "killed", server)
    server.fault = sometimes(0.2)
    server.received.clear()
    server.served.clear()
    server.faults.clear()
    unseen = 0
    for after in (20, 30):
        process: list[subprocess.Popen[str]] = []
        server.answer = killing(process, after)
        before, kept = len(server.served), job.stored()
        process.append(job.start())
        assert process[0].wait() == -signal.SIGKILL
        server.come_to_rest()
        newly_kept = job.stored() - kept
        assert newly_kept >= after - SLOTS - 6  # some of the answers were cut off on purpose
        unseen += len(server.served) - before - newly_kept
    assert 0 <= unseen <= 2 * SLOTS
    server.answer = by_words
    assert job.start().wait() == 0
    assert len(server.served) == N_REQUESTS + unseen

    usage = job.usage
    assert usage["answered"] == N_REQUESTS == usage["completions"]
    assert usage["paid_tokens"] == whole.usage["paid_tokens"]
    # a refusal that was on its way to a killed client counts as lost
    refusals = server.faults["429"] + server.faults["500"]
    assert refusals - 2 * SLOTS <= usage["refused"] <= refusals
    assert usage["lost"] == usage["asked"] - N_REQUESTS - usage["refused"] >= unseen
    samples = (job.folder / "samples.parquet").read_bytes()
    assert samples == (whole.folder / "samples.parquet").read_bytes()
    assert len(read_table(job.folder / "samples.parquet", SAMPLES)) == N_REQUESTS


def test_the_key_is_seen_nowhere(tmp_path: Path, server: ChatServer) -> None:
    """Every error of this server repeats the key that it was sent."""
    job = Job(tmp_path / "job", server)
    faulty = sometimes(0.3)
    refused = "pears 3?"
    server.fault = lambda body, n: "400" if body["messages"][0]["content"] == refused else faulty(body, n)
    process = job.start()
    while not server.received:
        assert process.poll() is None
    command_line = Path(f"/proc/{process.pid}/cmdline").read_text()
    printed = "".join(process.communicate())
    assert process.returncode == 0, printed
    assert "--limits" in command_line and KEY not in command_line
    rows = read_table(job.folder / "samples.parquet", SAMPLES)
    assert [row["finish_reason"] for row in rows].count("error") == 3
    assert_unseen(job.folder, printed + repr(rows))

    failing = Job(tmp_path / "failing", server)
    server.fault = lambda body, n: "400"
    process = failing.start()
    printed = "".join(process.communicate())
    assert process.returncode == 1
    assert "you sent Bearer (the key)" in printed and "Traceback" not in printed
    assert_unseen(failing.folder, printed)


def assert_unseen(folder: Path, printed: str) -> None:
    assert KEY not in printed
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) >= 4
    for file in files:
        assert KEY.encode() not in file.read_bytes(), file
