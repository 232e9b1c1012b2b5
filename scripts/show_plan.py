"""Tell what a run would cost before anything of it runs, and what its GPU jobs would ask a cluster for.

The jobs and what they ask for are Snakemake's own, from a dry run in this process: what is made already costs nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path

import yaml
from tabulate import tabulate

from bestpath.catalog import METHODS, Experiment, Settings
from bestpath.core.errors import UserError
from bestpath.core.models import parameters
from bestpath.core.systems import BASE
from bestpath.planning.budget import Bill, Job, Reckoned, Reckoner, problem_counts
from bestpath.planning.configuration import load as load_settings
from bestpath.planning.throughput import ASSUMPTIONS, Throughput, load, measure
from bestpath.runtime.program import run
from bestpath.settings.base import deep_merge

DEFAULTS = Path("config/config.yaml")
TARGETS = {"all", "evaluate", *METHODS}
"""Rules that make nothing themselves."""


def planned_jobs(arguments: Sequence[str]) -> list[Job]:
    """The jobs of Snakemake's dry run with these arguments. Raises UserError with what it says when it fails."""
    from snakemake import cli
    from snakemake.logging import logger

    jobs: list[Job] = []
    said: list[str] = []

    def collect(record: logging.LogRecord) -> bool:
        event = getattr(record, "event", None)
        if event is not None and event.value == "job_info":
            fields = vars(record)
            jobs.append(
                Job(fields["rule_name"], dict(fields["wildcards"]), fields["threads"], dict(fields["resources"]))
            )
        elif record.levelno >= logging.WARNING:
            said.append(record.getMessage())
        return False

    # what this machine has is no limit to what is asked of a cluster, and planning needs no conda
    unlimited = "--cores 9999 --resources gpu=9999".split()
    no_conda = [] if shutil.which("conda") else ["--sdm", "env-modules"]
    logger.addFilter(collect)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            cli.main(["--dry-run", *unlimited, *no_conda, *arguments])
    except SystemExit as stop:
        if isinstance(stop.code, str):
            raise UserError(stop.code.removeprefix("error: ")) from None
        if stop.code:
            raise UserError(" ".join(" ".join(said).split())) from None
    finally:
        logger.removeFilter(collect)
    return jobs


def merged_settings(overlays: Sequence[str]) -> Settings:
    """The settings that Snakemake would run with."""
    files = [DEFAULTS, *map(Path, overlays)]
    for file in files:
        if not file.is_file():
            raise UserError(f"there is no configuration file {file}; correct its path")
    values: dict[str, object] = reduce(
        deep_merge, (yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files), {}
    )
    return load_settings(values, files)


def sizes_of(settings: Settings, throughput: Throughput) -> dict[str, float | None]:
    """The parameters of the entries of `models` in billions, from their folders or the table; None if neither tells."""
    return {name: _size_of(settings, name, throughput) for name in settings.models}


def _size_of(settings: Settings, name: str, throughput: Throughput) -> float | None:
    entry = settings.models[name]
    source = entry.source or settings.base.source or ""
    imported = Path("results") / settings.experiment / "models" / (name if entry.source else BASE)
    for folder in (Path(source), imported):
        if (folder / "config.json").is_file():
            return parameters(folder) / 1e9
    return throughput.billions.get(source)


def stages(reckoned: Sequence[Reckoned]) -> dict[str, list[Reckoned]]:
    """Jobs by rule, in the order of each rule's last job; rules that cost next to nothing are put together."""
    last = {r.job.rule: i for i, r in enumerate(reckoned)}
    by_rule = {rule: [r for r in reckoned if r.job.rule == rule] for rule in sorted(last, key=last.__getitem__)}
    little = 0.01 * sum(r.expected.seconds for r in reckoned)
    costly = {
        rule
        for rule, jobs in by_rule.items()
        if any(r.unknown_work or r.unknown_cost or r.disk or r.most.tokens for r in jobs)
        or sum(r.expected.seconds for r in jobs) > little
    }
    others = [r for r in reckoned if r.job.rule not in costly]
    return {rule: jobs for rule, jobs in by_rule.items() if rule in costly} | (
        {"other rules": others} if others else {}
    )


def cost_table(reckoned: Sequence[Reckoned], checkpoints: float, currency: str = "") -> str:
    """A row a rule: what its jobs are expected to cost, and at most. `checkpoints`: bytes they take for a while."""
    on_gpus = any(r.job.gpus for r in reckoned)
    rows = []
    for name, jobs in {**stages(reckoned), "together": list(reckoned)}.items():
        works, on_cpus = together(jobs), together([r for r in jobs if not r.job.gpus])
        disk = sum(r.disk for r in jobs) + (checkpoints if name in {"train_specialist", "together"} else 0)
        row = {
            "completions": [count(work.completions) for work in works],
            "tokens": [count(work.tokens) for work in works],
            "GPU time": [duration(work.gpu_seconds) for work in works] if on_gpus else [],
            "CPU time": [duration(work.seconds) for work in on_cpus[: 1 if on_gpus else 2]],
            "disk": [f"{count(disk)}B" if disk else ""],
            currency: [f"{work.money:,.2f}" if work.money else "" for work in works] if currency else [],
        }
        headers = [header for key, cells in row.items() for header in (key, "at most")[: len(cells)]]
        if any(r.unknown_work for r in jobs):
            row = {key: marked(cells) for key, cells in row.items()}
        elif any(r.unknown_cost for r in jobs):
            row |= {key: marked(row[key]) for key in ("GPU time", "CPU time", "disk")}
        if all(r.unknown_work and r.most == Bill() for r in jobs):
            row = {"": ["not known"]}
        rows.append([name, len(jobs), *(cell for cells in row.values() for cell in cells)])
    align = ("left", *["right"] * (len(headers) + 1))
    return tabulate(rows, ["stage", "jobs", *headers], disable_numparse=True, colalign=align)


def marked(cells: Sequence[str]) -> list[str]:
    """Cells in which something unknown is missing."""
    return [f"{cell} + ?".removeprefix(" + ") for cell in cells]


def together(reckoned: Sequence[Reckoned]) -> list[Bill]:
    """What jobs do together, as expected and at most."""
    return [reduce(add, bills, Bill()) for bills in ([r.expected for r in reckoned], [r.most for r in reckoned])]


def request_table(reckoned: Sequence[Reckoned]) -> str:
    """What the jobs that work on GPUs ask a cluster for, and how long one will take."""
    asked: dict[tuple[str, int, int, str, str], list[Reckoned]] = {}
    for r in (r for rule in stages(reckoned).values() for r in rule if r.job.gpus):
        resources = r.job.resources
        memory, runtime = (str(resources.get(name, "")) for name in ("mem_mb", "runtime"))
        asked.setdefault((r.job.rule, r.job.gpus, r.job.threads, memory, runtime), []).append(r)
    rows = []
    for request, jobs in asked.items():
        longest = max(jobs, key=lambda r: r.expected.seconds)
        took = [duration(work.seconds) or "?" for work in (longest.expected, longest.most)]
        late = "more time than asked for" if longest.expected.seconds > 60 * float(request[4] or "inf") else ""
        rows.append([request[0], len(jobs), *request[1:], *took, late])
    headers = ["asked for a job", "jobs", "gpu", "cpus", "mem_mb", "runtime, min", "longest job", "at most", ""]
    return tabulate(rows, headers, disable_numparse=True, colalign=("left", *["right"] * 7, "left"))


def count(value: float) -> str:
    """A large number in few digits; nothing for 0."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}" if value else ""


def duration(seconds: float) -> str:
    """A time in its unit; nothing for 0."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:,.{0 if seconds >= 10 * size else 1}f} {unit}"
    return f"{seconds:.0f} s" if seconds else ""


def notes(reckoner: Reckoner, reckoned: Sequence[Reckoned], disk: float) -> Iterator[str]:
    """What the figures rest on, and what is missing in them."""
    experiment = reckoner.experiment
    settings = experiment.settings
    for name, method in experiment.methods.items():
        run = {variant: experiment.own[name, variant] for variant in experiment.variants(name)}
        expected, most = method.assumptions(settings, run, reckoner.habits(name))
        yield f"{method.title}: {expected}; at most {most}."
    tokens = f"{reckoner.habits().answer:.0f} tokens an answer; at most {settings.evaluation.max_tokens:,}"
    yield f"Evaluation: {tokens}. The speed stays the same."
    if reckoner.measured:
        yield f"Measured in {reckoner.measured.folder}, as far as it came; what is missing is from {ASSUMPTIONS}."
    else:
        yield f"Assumed in {ASSUMPTIONS}: all that is expected; speeds are estimates from public figures."
        yield "CPU time: leaves out the other rules, which nothing is known of before a first run."
    yield from paid_roles(reckoned, reckoner.currency)
    free = shutil.disk_usage(".").free
    short = ": too little" if free < disk else ""
    yield f"Disk: models, and the checkpoints of one training at a time; {count(free)}B are free here{short}."
    for unknown in sorted({name for r in reckoned for name in (r.unknown_work, r.unknown_cost) if name}):
        remedy = "state it in the costs of its method" if unknown.startswith("what ") else f"state it in {ASSUMPTIONS}"
        yield f"Unknown, and missing above: {unknown}; {remedy}."


def paid_roles(reckoned: Sequence[Reckoned], currency: str) -> Iterator[str]:
    """What is paid for each role, if for more than one."""
    paid: dict[str, list[float]] = {}
    for r in reckoned:
        for role, (expected, most) in r.roles.items():
            if most.money:
                usual, limit = paid.get(role, [0.0, 0.0])
                paid[role] = [usual + expected.money, limit + most.money]
    if len(paid) > 1:
        prices = ", ".join(f"{role} {usual:,.2f}, at most {limit:,.2f}" for role, (usual, limit) in paid.items())
        yield f"{currency} by role: {prices}."


def players(reckoner: Reckoner, gpu: str) -> Iterator[str]:
    """The base, and the other models that play a role: what each is, how large, and where it runs."""
    experiment, settings = reckoner.experiment, reckoner.experiment.settings
    played = {
        experiment.player(method, variant, role)
        for method in experiment.methods
        for variant in experiment.variants(method)
        for role in experiment.roles(method, variant)
    }
    where = f"on {gpu} GPUs" if settings.compute.runs_on() == "cuda" else "on CPUs"
    for name, entry in settings.models.items():
        size = f"{billions:.3g} billion parameters" if (billions := reckoner.billions[name]) else "unknown size"
        what = f"{entry.source or settings.base.source}, {size}, {entry.engine or settings.generation.engine} {where}"
        there = f"{entry.endpoint.model} at {entry.endpoint.url}" if entry.endpoint else ""
        if name == BASE:
            yield f"{settings.experiment}: {what}" + (f"; the base itself is {there}" if there else "")
        elif name in played:
            yield f"{name}: {there or what}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="*", default=[], help="overlays over config/config.yaml")
    parser.add_argument("--gpu", default="h100", help=f"the GPU to reckon with, of {ASSUMPTIONS}")
    parser.add_argument("--measured", type=Path, help="results of an earlier run; default: this experiment's, if any")
    parser.add_argument("--profile", help="Snakemake's workflow profile, for example profiles/slurm")
    parser.add_argument("targets", nargs="*", help="what to make; default: everything")
    args = parser.parse_args()

    settings, throughput = merged_settings(args.configfile), load()
    experiment, results = Experiment(settings), Path("results") / settings.experiment
    if args.measured and not args.measured.is_dir():
        raise UserError(f"there are no results {args.measured} to take measurements from; correct the path")
    measured = measure(args.measured or results)
    options = [*(["--workflow-profile", args.profile] if args.profile else [])]
    options += ["--configfile", str(DEFAULTS), *args.configfile] if args.configfile else []
    jobs = [job for job in planned_jobs([*options, "--", *args.targets]) if job.rule not in TARGETS]
    if not jobs:
        print("nothing is to be made")
        return
    on_gpus = any(job.gpus for job in jobs)
    if on_gpus and args.gpu not in throughput.gpus:
        known = " or ".join(throughput.gpus)
        raise UserError(f"nothing is known of the GPU '{args.gpu}'; add it to {ASSUMPTIONS}, or name {known}")
    problems = problem_counts(experiment, throughput.problems)
    sizes = sizes_of(settings, throughput)
    reckoner = Reckoner(experiment, throughput, args.gpu, sizes, problems, measured if measured.habits else None)
    reckoned = [reckoner.reckon(job) for job in jobs]
    checkpoints = max((reckoner.checkpoints(job) for job in jobs if job.rule == "train_specialist"), default=0.0)
    print(*players(reckoner, args.gpu), "", sep="\n")
    print(cost_table(reckoned, checkpoints, reckoner.currency), "\n")
    if on_gpus:
        print(request_table(reckoned), "\n")
    for note in notes(reckoner, reckoned, sum(r.disk for r in reckoned) + checkpoints):
        print(textwrap.fill(note, 118, subsequent_indent="  "))


if __name__ == "__main__":
    run(main)
