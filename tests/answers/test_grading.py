from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bestpath.answers.grading import Grader
from bestpath.core.errors import UserError
from bestpath.core.search import Grade, Verdict

LIBRARY = Path(__file__).parents[2] / "scripts"
HANGS = r"\boxed{(10!)!}"  # 22 million digits


def boxed(answer, gold):
    return Grade(f"\\boxed{{{answer}}}", gold)


EQUAL = [
    (r"2\sqrt{2}", r"\sqrt{8}"),
    (r"\frac{1}{\sqrt3}", r"\frac{\sqrt3}{3}"),
    ("1024", "2^{10}"),
    (r"\frac{x}{2}", "0.5x"),
    ("w^4-16", "(w-2)(w+2)(w^2+4)"),
    (r"\frac{n^2+n}{2}", "n(n+1)/2"),
    (r"3-\frac{x}{2}", r"-\frac{1}{2}x+3"),
    ("120", "5!"),
    ("y-2x=3", "y=2x+3"),
    ("2y=4x+6", "y=2x+3"),
    ("x>3", r"(3,\infty)"),
    (r"x \leq 5", r"(-\infty,5]"),
    (r"-2\le x\le 2", "[-2,2]"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\ \\sqrt{4}\\end{pmatrix}"),
    (r"(\frac{1}{\sqrt2},1)", r"(\frac{\sqrt2}{2},1)"),
    (r"\{3,2\}", r"\{\sqrt4,3\}"),
    (r"1-\sqrt2, 1+\sqrt2", r"1\pm\sqrt{2}"),
    ("37.699112", r"12\pi"),
    (r"\sqrt{x^2}", "|x|"),
]
UNEQUAL = [
    ("37.7", r"12\pi"),
    (r"-\infty", r"\infty"),
    ("y=-2x", "y=2x"),
    ("x=3", "y=3"),
    (r"x\ge 3", r"(3,\infty)"),
    ("-2<x<2", "[-2,2]"),
    ("x", "X"),
    ("ab", "AB"),
    (r"2\cdot10^{-17}\pi", r"10^{-17}\pi"),
    ("x^2+y^2=4", "x^2+y^2=1"),
    ("(x-1)(x+2)", "x^2-1"),
    ("2x", "x"),
    ("n", "n!"),
    (r"\log 2", r"\ln 2"),
    (r"(1,\sqrt2)", r"(\sqrt2,1)"),
    (r"\frac{}{}", r"\sqrt2"),
]


@pytest.fixture(scope="module")
def grader():
    with Grader() as grader:
        yield grader


@pytest.mark.parametrize(("answer", "gold"), EQUAL)
def test_equal_by_algebra(grader, answer, gold):
    assert grader.grade([boxed(answer, gold)])[0].outcome == "correct"


@pytest.mark.parametrize(("answer", "gold"), UNEQUAL)
def test_unequal_by_algebra(grader, answer, gold):
    assert grader.grade([boxed(answer, gold)])[0].outcome == "wrong"


def test_a_rounded_value_is_a_doubtful_mistake(grader):
    rounded, far = grader.grade([boxed("37.7", r"12\pi"), boxed("38.9", r"12\pi")])
    assert (rounded.outcome, rounded.loosely_equal) == ("wrong", True)
    assert (far.outcome, far.loosely_equal) == ("wrong", False)


def test_verdicts_name_the_answer_and_the_rule(grader):
    assert grader.grade([Grade("The answer is $18.", "18", "number"), Grade("?", "18", "number")]) == [
        Verdict("correct", "18", "stated"),
        Verdict("no_answer", None, "none"),
    ]


def test_an_open_problem_is_ungraded(grader):
    asked = [Grade("anything", "", "open"), boxed("1", "1"), Grade("\\boxed{1}", "1", "open")]
    assert [verdict.outcome for verdict in grader.grade(asked)] == ["ungraded", "correct", "ungraded"]


def test_verdicts_do_not_depend_on_order_or_company():
    requests = [boxed(answer, gold) for answer, gold in EQUAL + UNEQUAL]
    shuffled = random.Random(0).sample(requests * 3, k=3 * len(requests))
    with Grader(workers=1) as one, Grader(workers=3) as three:
        alone = dict(zip(requests, one.grade(requests), strict=True))
        assert three.grade(shuffled) == [alone[request] for request in shuffled]


def test_a_hanging_comparison_costs_its_own_row_only():
    requests = [boxed(answer, gold) for answer, gold in EQUAL]
    with Grader(workers=2, timeout_s=2) as grader:
        grader.grade(requests)  # the workers are warm
        requests.insert(3, Grade(HANGS, "5x"))
        requests.insert(9, Grade(HANGS, "5x"))
        outcomes = [verdict.outcome for verdict in grader.grade([*requests, boxed("w^4-16+0", "w^4-16")])]
    assert outcomes[3] == outcomes[9] == "timeout"
    assert {outcome for n, outcome in enumerate(outcomes) if n not in (3, 9)} == {"correct"}


def test_the_caller_goes_on_while_rows_are_graded():
    with Grader(workers=2, timeout_s=3) as grader:
        slow = grader.submit(Grade(HANGS, "5x"))
        quick = grader.submit(Grade(r"\boxed{5}", "5"))
        algebra = grader.submit(boxed(r"2\sqrt{2}", r"\sqrt{8}"))
        assert grader.poll(0.0) == [(quick, Verdict("correct", "5", "boxed"))]
        assert grader.grade([boxed("6", "7")])[0].outcome == "wrong"
        found = dict(grader.poll(30))
        while grader.waiting:
            found.update(grader.poll(30))
    assert {ticket: verdict.outcome for ticket, verdict in found.items()} == {slow: "timeout", algebra: "correct"}
    assert grader.poll(None) == []


def state_and_parent(process):
    state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def worker_processes(parent):
    """The ids of the living worker processes that a process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_child = state_and_parent(folder.name)[1] == parent
            if is_child and b"bestpath.answers.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture
def new_workers():
    """A function that lists the worker processes that this test has started."""
    before = set(worker_processes(os.getpid()))
    return lambda: [process for process in worker_processes(os.getpid()) if process not in before]


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_a_crashed_worker_costs_its_own_row_only(new_workers):
    with Grader(workers=1, timeout_s=300) as grader:
        assert grader.grade([boxed(r"2\sqrt{2}", r"\sqrt{8}")])[0].outcome == "correct"
        [process] = new_workers()
        doomed = grader.submit(Grade(HANGS, "5x"))
        next_one = grader.submit(boxed("1024", "2^{10}"))
        time.sleep(0.2)  # it is computing now
        os.kill(process, signal.SIGKILL)
        found = dict(grader.poll(60))
        while grader.waiting:
            found.update(grader.poll(60))
        assert (found[doomed].outcome, found[next_one].outcome) == ("timeout", "correct")
        [process] = new_workers()
        os.kill(process, signal.SIGKILL)  # this time it is idle
        wait_until(lambda: state_and_parent(process)[0] == "Z")
        assert grader.grade([boxed(r"3\sqrt{2}", r"\sqrt{18}")])[0].outcome == "correct"


@linux
def test_closing_leaves_no_process_behind_and_does_not_wait(new_workers):
    with Grader(workers=2, timeout_s=300) as grader:
        for n in range(4):
            grader.submit(Grade(HANGS, f"{n}x"))
        wait_until(lambda: len(new_workers()) == 2)
    assert new_workers() == []
    assert grader.waiting == 0


@linux
def test_workers_die_with_a_killed_parent():
    program = f"""
import time
from bestpath.answers.grading import Grader
from bestpath.core.search import Grade
grader = Grader(workers=2, timeout_s=300)
for n in range(2):
    grader.grade([Grade(r"\\boxed{{2\\sqrt{{2}}}}", rf"\\sqrt{{{{8}}}}+{{n}}")])
for n in range(2):
    grader.submit(Grade(r"{HANGS}", f"{{n}}x"))
print("busy", flush=True)
time.sleep(300)
"""
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        try:
            assert parent.stdout is not None and parent.stdout.readline() == b"busy\n"
            wait_until(lambda: len(worker_processes(parent.pid)) == 2)
            workers = worker_processes(parent.pid)
        finally:
            parent.kill()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_it_works_from_a_program_without_a_main_guard_and_beside_a_stray_module(tmp_path):
    (tmp_path / "sympy.py").write_text("raise RuntimeError('a file of the user')")
    (tmp_path / "program.py").write_text(
        "from bestpath.answers.grading import Grader\n"
        "from bestpath.core.search import Grade\n"
        "with Grader(workers=1) as grader:\n"
        "    print(grader.grade([Grade(r'\\boxed{2\\sqrt2}', r'\\sqrt8')])[0].outcome)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    ran = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "correct\n"


def test_a_missing_math_verify_is_a_user_error(tmp_path, monkeypatch):
    (tmp_path / "math_verify.py").write_text("raise ImportError('No module named math_verify')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Grader(workers=1) as grader:
        assert grader.grade([boxed("0.5", r"\frac12")])[0].outcome == "correct"
        with pytest.raises(UserError, match="math-verify is installed"):
            grader.grade([boxed(r"2\sqrt{2}", r"\sqrt{8}")])


def test_an_unusable_gold_answer_is_a_user_error(grader):
    with pytest.raises(UserError, match="'eighteen' is not a number"):
        grader.grade([Grade("The answer is 18.", "eighteen", "number")])


def test_importing_it_is_cheap():
    program = "import sys, bestpath.answers.grading; print({'sympy', 'math_verify', 'torch'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
