"""Programs that try to get out: none does, and the pool goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bestpath.answers.programs import answer_of, program_of
from bestpath.answers.sandbox import Limits, Sandbox, isolation, process
from bestpath.core.errors import UserError
from bestpath.core.search import Ran, Run
from bestpath.runtime.descendants import descendants
from tests.conftest import ROOT

needs_isolation = pytest.mark.needs("isolation")

LIMITS = Limits(wall_s=8.0, cpu_s=2, memory_mb=512, folder_mb=4)

TRIES = {
    # name: a program that prints "out" when it has got out; it may print or do anything else
    "network by address": """
        import socket
        socket.create_connection(("127.0.0.1", {port}), timeout=1); print("out")""",
    "network by name": """
        import socket
        socket.create_connection(("localhost", {port}), timeout=1); print("out")""",
    "network by datagram": """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(b"x", ("192.0.2.1", 53)); print("out")""",
    "an abstract socket of the host": """
        import socket
        s = socket.socket(socket.AF_UNIX); s.connect("\\0bestpath-test-{port}"); print("out")""",
    "a socket in the host's files": """
        import socket
        s = socket.socket(socket.AF_UNIX); s.connect("{folder}/socket"); print("out")""",
    "a raw socket": """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); print("out")""",
    "a secret file": """print("out", open("{folder}/secret").read())""",
    "the passwords": """print("out", open("/etc/shadow").read())""",
    "the users": """print("out", open("/etc/passwd").read())""",
    "the keys of the home": """
        import os
        for path in {at_home}:
            if os.path.exists(path): print("out")""",
    "the project's files": """
        import os
        if os.path.exists("{root}/README.md"): print("out")""",
    "writing beside the program": """open("{folder}/written", "w"); print("out")""",
    "writing to the system": """
        for path in ("/usr/x", "/lib/x", "/etc/x", "/x", "/program.py", "/bin/sh"):
            try: open(path, "a"); print("out", path)
            except OSError: pass""",
    "writing to its Python": """
        import sys, os
        open(os.path.join(sys.prefix, "x"), "w"); print("out")""",
    "secrets of the environment": """
        import os
        if any("SECRET" in name for name in os.environ): print("out")""",
    "the environment of others": """
        import glob
        for path in glob.glob("/proc/*/environ"):
            if b"SECRET" in open(path, "rb").read(): print("out")""",
    "the memory of others": """
        import glob
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            if b"pytest" in open(path, "rb").read(): print("out")""",
    "the host's process": """
        import os
        os.kill({pid}, 0); print("out")""",
    "killing everybody": """
        import os, signal
        os.kill(-1, signal.SIGKILL)""",
    "killing its parent": """
        import os, signal
        os.kill(os.getppid(), signal.SIGKILL)""",
    "killing its group": """
        import os, signal
        os.killpg(0, signal.SIGKILL)""",
    "stopping itself": """
        import os, signal
        os.kill(os.getpid(), signal.SIGSTOP)
        import time; time.sleep(99)""",
    "deaf to signals": """
        import signal, time
        for n in range(1, 64):
            try: signal.signal(n, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: pass""",
    "inherited descriptors": """
        import os
        for n in range(3, 64):
            try: os.write(n, b"out"); print("out", n)
            except OSError: pass""",
    "links out of its folder": """
        import os
        os.symlink("{folder}/secret", "link"); print("out", open("link").read())""",
    "hard links": """
        import os
        os.link("/program.py", "copy"); open("copy", "a").write("x"); print("out")""",
    "tracing": """
        import ctypes
        if ctypes.CDLL(None).ptrace(16, {pid}, 0, 0) == 0: print("out")""",
    "system calls by number": """
        import ctypes
        libc = ctypes.CDLL(None)
        if libc.syscall(165, b"none", b"/usr", b"tmpfs", 0, None) == 0: print("out")""",
    "mounting": """
        import subprocess
        if subprocess.run(["mount", "-t", "tmpfs", "x", "/sandbox"], stderr=-3).returncode == 0: print("out")""",
    "making itself writable": """
        import subprocess
        for path in ("/usr", "/program.py", "/"):
            if subprocess.run(["mount", "-o", "remount,bind,rw", path], stderr=-3).returncode == 0: print("out")""",
    "a namespace of its own": """
        import subprocess
        command = "mount -o remount,bind,rw /usr && touch /usr/x"
        done = subprocess.run(["unshare", "-Urm", "sh", "-c", command], stderr=-3)
        if done.returncode == 0: print("out")""",
    "another root": """
        import os
        os.chroot("/sandbox"); print("out")""",
    "becoming root": """
        import os
        os.setgroups([0]); print("out")""",
    "raising its limits": """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40)); print("out")""",
    "devices": """
        import os
        for name in ("mem", "kmem", "sda", "vda", "kvm", "fuse", "tty"):
            if os.path.exists("/dev/" + name):
                try: open("/dev/" + name, "rb").read(1); print("out", name)
                except OSError: pass
        os.mknod("disk", 0o60600, os.makedev(254, 0)); open("disk", "rb").read(1); print("out")""",
    "kernel settings": """open("/proc/sys/kernel/hostname", "w").write("x"); print("out")""",
    "the kernel's panic button": """open("/proc/sysrq-trigger", "w").write("h"); print("out")""",
    "the host's name": """
        import socket
        socket.sethostname("x"); print("out")""",
    "the clock": """
        import time
        time.clock_settime(time.CLOCK_REALTIME, 0); print("out")""",
    "shared memory left behind": """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.shmget({port}, 4096, 0o1666)""",
    "standard input": """
        import sys
        if sys.stdin.read(): print("out")""",
    "a shell": """
        import os
        os.execv("/bin/sh", ["sh", "-c", "cat {folder}/secret && echo out"])""",
}

LOADS = {
    # name: a program that asks too much, and the statuses that are right for it
    "a fork bomb": ("import os\nwhile True: os.fork()", {"killed", "error", "oom"}),
    "many threads": (
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
        {"killed", "error", "oom", "timeout"},
    ),
    "all memory": ("x = []\nwhile True: x.append(' ' * (1 << 24))", {"oom"}),
    "memory in children": (
        "import os\nfor _ in range(8): os.fork()\nx = bytearray(100 << 20)\nimport time; time.sleep(9)",
        {"oom", "killed", "error"},
    ),
    "memory in children behind closed output": (
        "import os\nos.close(1)\nos.close(2)\nfor _ in range(3): os.fork()\nx = bytearray(100 << 20)\n"
        "import time; time.sleep(9)",
        {"oom"},
    ),
    "a flood of output": ("while True: print('x' * 1000)", {"timeout", "error", "killed"}),
    "a flood of errors": ("import sys\nwhile True: sys.stderr.write('x' * 1000)", {"timeout", "error", "killed"}),
    "an endless loop": ("while True: pass", {"timeout"}),
    "an endless sleep": ("import time\ntime.sleep(999)", {"timeout"}),
    "a loop behind closed output": ("import os\nos.close(1)\nos.close(2)\nwhile True: pass", {"timeout"}),
    "loops in children": ("import os\nos.fork()\nos.fork()\nwhile True: pass", {"timeout"}),
    "a huge number": ("print(len(str(10 ** 10 ** 9)))", {"timeout", "oom", "error"}),
    "a long number": ("print(10 ** 100000)", {"error"}),  # Python refuses to write it out
    "no end of recursion": ("def f(): f()\nf()", {"error"}),
    "a full folder": ("f = open('x', 'wb')\nwhile True: f.write(b' ' * (1 << 20))", {"error", "killed"}),
    "no end of files": ("i = 0\nwhile True: open(str(i), 'w'); i += 1", {"error"}),
    "its own folder deleted": (
        "import shutil\nshutil.rmtree('/sandbox', ignore_errors=True)\nprint(7)",
        {"ok", "error"},
    ),
    "an exit at once": ("print('lost', flush=False)\nimport os\nos._exit(0)", {"no_output", "ok"}),
    "a thread that outlives it": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nprint(7)",
        {"timeout"},
    ),
    "a grandchild that outlives it": (
        "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: time.sleep(99)\n os._exit(0)\nprint(7)",
        {"ok"},
    ),
    "nothing": ("", {"no_output"}),
    "no program": ("this is no Python", {"error"}),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """What there would be to find outside: a server, sockets, a secret in a file and one in the environment."""
    folder = tmp_path_factory.mktemp("world")
    # Python itself may lie there, and may be seen
    at_home = [str(path) for path in Path.home().iterdir() if not Path(sys.base_prefix).is_relative_to(path)]
    (folder / "secret").write_text("a secret")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
        pytest.MonkeyPatch.context() as patch,
    ):
        port = server.getsockname()[1]
        abstract.bind(f"\0bestpath-test-{port}")
        os.chdir(folder)  # a socket's name must be short
        named.bind("socket")
        os.chdir(ROOT)
        for listening in (abstract, named):
            listening.listen()
        patch.setenv("SOME_SECRET", "a secret")
        yield {"port": port, "folder": folder, "root": ROOT, "at_home": at_home, "pid": os.getpid()}


@pytest.fixture(scope="module")
def ran(world: dict[str, object]) -> dict[str, Ran]:
    """What became of every program, all run through one pool with an honest one behind each."""
    programs = {name: textwrap.dedent(text).strip().format(**world) for name, text in TRIES.items()}
    programs |= {name: text for name, (text, _) in LOADS.items()}
    with Sandbox(limits=LIMITS) as sandbox:
        every = [text for i, text in enumerate(programs.values()) for text in (text, f"print({i} + 1)")]
        results = sandbox.run(every)
        assert [answer_of(honest) for honest in results[1::2]] == [str(i + 1) for i in range(len(programs))]
        assert not descendants(os.getpid()) or not running_programs()
    return dict(zip(programs, results[::2], strict=True))


def running_programs() -> list[psutil.Process]:
    """Processes of programs that are still there."""
    return [p for p in psutil.process_iter(["cmdline"]) if "/program.py" in (p.info["cmdline"] or [])]


@needs_isolation
@pytest.mark.parametrize("name", TRIES)
def test_no_program_gets_out(ran: dict[str, Ran], name: str, world: dict[str, object]) -> None:
    assert "out" not in ran[name].stdout, ran[name]
    assert not Path(str(world["folder"]), "written").exists()
    assert ran[name].level in ("namespace", "bubblewrap")


@needs_isolation
@pytest.mark.parametrize("name", LOADS)
def test_what_a_program_may_use_is_limited(ran: dict[str, Ran], name: str) -> None:
    _, statuses = LOADS[name]
    assert ran[name].status in statuses, ran[name]
    assert len(ran[name].stdout) <= LIMITS.output_bytes
    assert not Path("/usr/x").exists()


def test_there_are_enough_attacks() -> None:
    assert len(TRIES) >= 30


@pytest.mark.parametrize(
    ("completion", "program"),
    [
        ("print(1)", "print(1)"),
        ("Here it is:\n```python\nprint(1)\n```\nDone.", "print(1)\n"),
        ("```\nprint(1)\n```", "print(1)\n"),
        ("```python\nprint(1)", "print(1)"),  # the fence is never closed
    ],
)
def test_the_program_of_a_completion(completion: str, program: str) -> None:
    assert program_of(completion) == program


@needs_isolation
@pytest.mark.parametrize(
    ("program", "status", "answer", "error"),
    [
        ("print(3)\nprint(' 7 ')\nprint()", "ok", "7", None),
        ("x = 7", "no_output", None, None),
        ("print(7)\n1 / 0", "error", None, "ZeroDivisionError: division by zero"),
        ("import sympy, numpy, scipy.stats\nprint(sympy.Rational(1, 2) + 1)", "ok", "3/2", None),
        ("text = '''one\n  two'''\nprint(len(text))", "ok", "9", None),  # released: lines are indented first
        ("from math import *\nprint(floor(pi))", "ok", "3", None),
        ("raise SystemExit(3)", "error", None, None),
    ],
)
def test_what_a_program_answers(program: str, status: str, answer: str | None, error: str | None) -> None:
    with Sandbox(1, Limits(cpu_s=20)) as sandbox:
        [ran] = sandbox.run([program])
    assert (ran.status, answer_of(ran)) == (status, answer)
    assert error is None or ran.error == error


@pytest.mark.needs("bubblewrap")
def test_bubblewrap_keeps_programs_in(world: dict[str, object]) -> None:
    for name in ("network by address", "a secret file", "writing to the system", "the memory of others", "mounting"):
        text = textwrap.dedent(TRIES[name]).strip().format(**world)
        assert "out" not in process.run_program(text, "bubblewrap", LIMITS).stdout, name
    assert answer_of(process.run_program("print(1 + 1)", "bubblewrap", LIMITS)) == "2"


@needs_isolation
def test_a_program_that_waits_for_the_machine_is_not_late() -> None:
    """Three seconds of waiting cost it none of the two that it may work."""
    with Sandbox(1, LIMITS) as sandbox:
        [ran] = sandbox.run(["import time\ntime.sleep(3)\nprint(7)"])
    assert (ran.status, answer_of(ran)) == ("ok", "7")


AT_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    sys.path.insert(0, sys.argv[1])
    from bestpath.answers.sandbox import Limits, Sandbox
    open("/dev/tty").close()
    with Sandbox(1) as sandbox:
        print(*sandbox.run(["open('/dev/tty')"]))
    os._exit(0)
said = b""
try:
    while data := os.read(terminal, 1000):
        said += data
except OSError:
    pass
os.waitpid(pid, 0)
print(said.decode())
"""


@needs_isolation
def test_a_program_has_no_terminal() -> None:
    """Although the process that runs it was started from one."""
    command = [sys.executable, "-c", AT_A_TERMINAL, str(ROOT / "scripts")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "status='error'" in said and "'/dev/tty'" in said, said


@needs_isolation
def test_the_same_program_is_run_once() -> None:
    with Sandbox(2, LIMITS) as sandbox:
        first = sandbox.run(["import time\nprint(time.time_ns())"] * 3)
        assert len({ran.stdout for ran in first}) == 1
        ticket = sandbox.submit(Run("```python\nimport time\nprint(time.time_ns())```"))
        assert dict(sandbox.poll())[ticket] == first[0]


@pytest.mark.needs("prlimit")
def test_without_isolation_nothing_is_run_unless_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bestpath.answers.sandbox.missing", lambda level: None if level == "rlimit" else "no tools")
    with pytest.raises(UserError, match=r"cannot be isolated here .*install bubblewrap"):
        Sandbox()
    with Sandbox(1, LIMITS, min_level="rlimit") as sandbox:
        [ran] = sandbox.run(["print(7)"])
    assert (ran.level, answer_of(ran)) == ("rlimit", "7")


@needs_isolation
def test_a_level_that_lets_a_trial_out_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the tools were there and did nothing."""
    bare = isolation.command
    monkeypatch.setattr(process, "command", lambda level, *rest: bare("rlimit", *rest))
    with pytest.raises(UserError, match="has a network"):
        Sandbox()


OWNER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from bestpath.answers.sandbox import Limits, Sandbox
from bestpath.core.search import Run
sandbox = Sandbox(2, Limits(cpu_s=50))
for i in range(2):
    sandbox.submit(Run(f"while {i + 1}: pass"))
time.sleep(99)
"""


@needs_isolation
def test_programs_end_with_their_owner() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(ROOT / "scripts")])
    give_up = time.monotonic() + 60
    while len(running_programs()) < 2:
        assert owner.poll() is None and time.monotonic() < give_up
        time.sleep(0.05)
    programs = running_programs()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    _, alive = psutil.wait_procs(programs, timeout=30)
    assert not alive
