"""Warm processes are like others: arguments, folder, environment, files, exit codes, and an end with who asked."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.warm import run_warm, warm_python

PROGRAM = """
import os, sys
print(*sys.argv, os.getcwd(), os.environ["COLOUR"], sys.path[0])
print("said aside", file=sys.stderr)
sys.exit(7)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_a_warm_program_has_what_it_was_given(program: Path, tmp_path: Path) -> None:
    done = run_warm([str(program), "a", "b c"], tmp_path, {**os.environ, "COLOUR": "green"})
    assert done.returncode == 7
    assert done.stdout.split() == [str(program), "a", "b", "c", str(tmp_path), "green", str(tmp_path)]
    assert done.stderr == "said aside\n"


def test_it_may_be_started_by_any_shell(program: Path, tmp_path: Path) -> None:
    command = f"COLOUR=red {warm_python()} program.py 'x y' 2> aside"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[1:3]) == (7, ["x", "y"])
    assert (tmp_path / "aside").read_text() == "said aside\n"


def test_it_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(999)\n")
    asker = subprocess.Popen([warm_python(), "endless.py"], cwd=tmp_path)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    forked = psutil.Process(int((tmp_path / "pid").read_text()))
    assert forked.pid != asker.pid
    asker.kill()
    asker.wait()
    forked.wait(timeout=60)
