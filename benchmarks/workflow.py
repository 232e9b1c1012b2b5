"""What the workflow itself costs: a dry run of 1,000 shards, a second run with nothing to do, and each stage.

    python benchmarks/workflow.py

Needs a finished demo for the last two tables. Times are whole processes; the bare workflow has as many jobs of as
many rules with the same inputs and outputs, but no settings, parameters, functions or programs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
SHARDS = 1000
RUNS = 3


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "shards.yaml"
        overlay.write_text(f"experiment: shards\nembedded: {{pool: {SHARDS}}}\nproblems: {{shard_size: 1}}\n")
        ours = ["--dry-run", "--quiet", "--configfile", str(overlay)]
        bare = Path(folder) / "bare"
        bare.mkdir()
        jobs = write_bare(bare, ours)
        pairs = [(seconds(ours, ROOT), seconds(["--dry-run", "--quiet"], bare)) for _ in range(RUNS)]
    ours_s, bare_s = (sorted(column)[RUNS // 2] for column in zip(*pairs, strict=True))
    print(f"| dry run of {jobs} jobs ({SHARDS} shards) | seconds |\n|---|---|")
    print(f"| this workflow | {ours_s:.1f} |\n| a bare workflow with as many rules and jobs | {bare_s:.1f} |")
    print(f"| ratio | {ours_s / bare_s:.2f} |\n")
    if not (ROOT / "results/embedded/report/report.html").exists():
        sys.exit("run `make demo` for the other tables")
    print(f"| a second `make demo` with nothing to do | {seconds(['--quiet'], ROOT):.1f} s |\n|---|---|\n")
    print("| stage of the demo | jobs | seconds, summed | CPU seconds | peak memory, MB |\n|---|---|---|---|---|")
    for stage, rows in stages().items():
        total, cpu = (sum(float(row[key] or 0) for row in rows) for key in ("s", "cpu_time"))
        peak = max(float(row["max_rss"] or 0) for row in rows)
        print(f"| `{stage}` | {len(rows)} | {total:.0f} | {cpu:.0f} | {peak:.0f} |")


def seconds(arguments: list[str], folder: Path) -> float:
    """The wall time of one Snakemake process."""
    started = time.perf_counter()
    subprocess.run([SNAKEMAKE, *arguments], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def write_bare(folder: Path, ours: list[str]) -> int:
    """Write a workflow with the same rules, jobs and dependencies as ours, and nothing else; the number of its jobs."""
    graph = subprocess.run(
        [SNAKEMAKE, "--dag", "dot", *ours[ours.index("--configfile") :]],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rule_of = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', graph, re.MULTILINE))
    place: dict[str, str] = {}
    needs: dict[str, list[list[str]]] = defaultdict(list)
    for job, rule in rule_of.items():
        place[job] = f"bare/{rule}/{len(needs[rule])}"
        needs[rule].append([])
    for producer, consumer in re.findall(r"^\s*(\d+) -> (\d+)", graph, re.MULTILINE):
        rule, index = place[consumer].split("/")[1:]
        needs[rule][int(index)].append(place[producer])
    (folder / "jobs.json").write_text(json.dumps(needs))
    rules = [
        f"rule {rule}:\n    input:\n        lambda w: JOBS['{rule}'][int(w.i)]\n"
        f"    output:\n        'bare/{rule}/{{i}}'\n    shell:\n        'touch {{output}}'\n"
        for rule in needs
        if rule != "all"
    ]
    head = "import json\nJOBS = json.load(open('jobs.json'))\n\nrule all:\n    input:\n        JOBS['all'][0]\n"
    (folder / "Snakefile").write_text("\n".join([head, *rules]))
    return len(rule_of)


def stages() -> dict[str, list[dict[str, str]]]:
    """The benchmark rows of every rule of the demo."""
    folder = ROOT / "results/embedded/benchmarks"
    return {
        rule.name: [json.loads(line) for file in sorted(rule.rglob("*.jsonl")) for line in file.open()]
        for rule in sorted(path for path in folder.iterdir() if path.is_dir())
    }


if __name__ == "__main__":
    main()
