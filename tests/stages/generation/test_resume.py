"""A run of the real engine, killed and started again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from bestpath.stages.generation.journal import Journal
from tests.conftest import ROOT
from tests.stages.generation.tiny import build_folder
from tests.warm import run_warm

PROGRAM = Path(__file__).with_name("interrupted_run.py")


def start(model: Path, folder: Path, slots: int, kill_after: int = 0) -> int:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    command = [str(PROGRAM), str(model), str(folder), str(slots), str(kill_after)]
    return run_warm(command, ROOT, environment).returncode


def test_killed_runs_end_in_the_same_bytes_and_generate_nothing_finished_anew(tmp_path: Path) -> None:
    model = build_folder(tmp_path / "model")
    assert start(model, tmp_path / "whole", slots=64) == 0
    found, resumed = json.loads((tmp_path / "whole/found.json").read_text())
    assert resumed == 0 and len(found) == 24

    folder = tmp_path / "killed"
    finished: set[str] = set()
    for slots, kill_after in ((5, 3), (9, 4)):
        before = asked(folder)
        assert start(model, folder, slots, kill_after) == -signal.SIGKILL
        assert not finished & set(asked(folder)[len(before) :])
        with Journal(folder / "journal.jsonl", "key") as journal:
            assert finished < set(journal.finished)
            finished = set(journal.finished)
    with (folder / "journal.jsonl").open("ab") as stream:
        stream.write(b'{"crc":"00000000","entry":{"problem": "torn')  # as if it had died while writing
    before = asked(folder)
    assert start(model, folder, slots=7) == 0
    last = asked(folder)[len(before) :]
    assert not finished & set(last)
    assert len(last) == sum(2 * len(rows) for problem, rows in found.items() if problem not in finished)
    again, resumed = json.loads((folder / "found.json").read_text())
    assert again == found
    assert resumed == len(finished) > 5


def asked(folder: Path) -> list[str]:
    notes = folder / "asked.txt"
    return notes.read_text().splitlines() if notes.exists() else []
