"""What isolation costs: programs a second in the sandbox, against `python FILE` one after another with a time limit.

The programs are as a model writes them for the embedded world, half of them in two copies, as samples of one problem
repeat each other; a few never end. The plain loop is `subprocess.run` with full rights: no isolation, no limits but the
time. Each side runs all programs; the repeats take turns and the median of the ratios is given.

    python benchmarks/sandbox.py
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from bestpath.answers.sandbox import Limits, Sandbox
from bestpath.stages.embedded.language import World
from bestpath.stages.embedded.problems import problems

Run = Callable[[Sequence[str]], list[str]]


def plain(programs: Sequence[str], limit_s: float) -> list[str]:
    """What the programs print, each in a process of its own with our rights."""
    printed = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        for program in programs:
            path.write_text(program)
            try:
                done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, timeout=limit_s)
                printed.append(done.stdout.strip())
            except subprocess.TimeoutExpired:
                printed.append("")
    return printed


def sandboxed(programs: Sequence[str], limits: Limits, workers: int | None) -> list[str]:
    """What the programs print in the sandbox, whose trial and start are part of the time."""
    with Sandbox(workers, limits) as sandbox:
        return [ran.stdout.strip() if ran.status == "ok" else "" for ran in sandbox.run(programs)]


def timed(run: Callable[[], list[str]]) -> tuple[list[str], float]:
    """What a run printed and its seconds."""
    start = time.perf_counter()
    return run(), time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=200, help="different programs")
    parser.add_argument("--endless", type=int, default=2, help="programs that never end")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    limits = Limits(wall_s=2.0, cpu_s=2)
    different = [row["program"] for row in problems(arguments.n, 1, World(operations=(3, 4), largest=99), "test")]
    unequal = [*different, *(f"while True: {i}" for i in range(arguments.endless))]
    repeated = different + different[: arguments.n // 2]
    random.Random(0).shuffle(unequal)
    random.Random(0).shuffle(repeated)
    workloads = {
        "each once": (different, None),
        "each once, one worker": (different, 1),
        "half of them twice": (repeated, None),
        f"each once, {arguments.endless} endless": (unequal, None),
    }
    print(f"Level: {Sandbox(1, limits).level}; time limit {limits.wall_s:g} s\n")
    print("| programs | number | plain loop, programs/s | sandbox, programs/s | ratio |")
    print("|---|---|---|---|---|")
    for name, (programs, workers) in workloads.items():
        pairs = []
        for _ in range(arguments.repeats):
            (one, plain_s), (two, ours_s) = (
                timed(lambda p=programs: plain(p, limits.wall_s)),
                timed(lambda p=programs, w=workers: sandboxed(p, limits, w)),
            )
            assert one == two, "both sides must print the same"
            pairs.append((plain_s, ours_s))
        rates = [median(len(programs) / seconds for seconds in side) for side in zip(*pairs, strict=True)]
        ratio = median(plain_s / ours_s for plain_s, ours_s in pairs)
        print(f"| {name} | {len(programs)} | {rates[0]:.0f} | {rates[1]:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
