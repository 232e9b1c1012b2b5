"""What a run will cost, before anything of it has run: completions, tokens, time, disk and money.

Every quantity has two figures. What is *expected* follows from how models reason and how fast they are (see
`throughput`). What it can be *at most* follows from the settings: every search takes all its rounds, every completion
is as long as it may be, every problem gives a pair; the speed stays as expected. What the jobs of a rule do is said by
`costs` and the methods; here it becomes time, disk and money, by who plays which role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any

from bestpath.catalog import METHODS, Experiment
from bestpath.core.declarations import Circumstances, Cost, Estimate, Habits, Role, Work, free
from bestpath.core.errors import UserError
from bestpath.core.sources import read_rows
from bestpath.core.systems import BASE
from bestpath.planning.costs import UnknownCostError, costs
from bestpath.planning.disk import checkpoint_bytes
from bestpath.planning.throughput import Measured, Throughput, rate_of
from bestpath.planning.wiring import TRAINED, Wiring
from bestpath.settings.common import Source


@dataclass(frozen=True)
class Bill(Work):
    """What jobs do, and the time and the money that it takes; money is in the endpoints' currency."""

    seconds: float = 0.0
    gpu_seconds: float = 0.0
    money: float = 0.0


# --- problems -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problems:
    """How many problems there are: by evaluation set, `dev` included, and by the method that trains on them. None where
    it cannot be known yet.
    """

    sets: Mapping[str, int | None]
    pools: Mapping[str, int | None]


def problem_counts(experiment: Experiment, assumed: Mapping[str, int], root: Path = Path(".")) -> Problems:
    """Count the problems.

    A table that is made already is counted, then a file; data sets of a hub are looked up in `assumed`.
    """
    settings, wiring = experiment.settings, Wiring(experiment)

    def there(table: str, sources: Mapping[str, Source]) -> int | None:
        drawn = [_planned(source, experiment, assumed) for source in sources.values()]
        return _made(root / table) or (None if None in drawn else sum(n for n in drawn if n))

    sets = {
        name: there(f"{wiring.results}/problems/{name}.parquet", {name: source})
        for name, source in settings.evaluation.sets.items()
    }
    train = there(f"{wiring.results}/problems/train.parquet", settings.sources())
    pools = {name: there(wiring.problems(name), wiring.sources(name)) for name in experiment.methods}
    return Problems({**sets, "dev": _dev(experiment, train)}, pools)


def _dev(experiment: Experiment, pool: int | None) -> int | None:
    """How many of so many training problems are set aside for choices."""
    return pool and round(experiment.settings.problems.dev_fraction * pool)


def _made(table: Path) -> int | None:
    import pyarrow.parquet as pq

    return pq.read_metadata(table).num_rows if table.is_file() else None


def _planned(source: Source, experiment: Experiment, assumed: Mapping[str, int]) -> int | None:
    embedded = experiment.settings.embedded
    if source.path.startswith("embedded:"):
        there: int | None = embedded.pool if source.path == "embedded:train" else embedded.test
    elif Path(source.path).is_file():
        there = len(read_rows(source.path))
    else:
        there = assumed.get(f"{source.path} {source.split}")
    known = [n for n in (there, source.n) if n]
    return min(known) if known else None


def answers(wiring: Wiring, set_name: str, problems: int) -> int:
    """How many completions one system draws on an evaluation set, or on `dev`."""
    samples: int = sum(decoding["samples"] for decoding in wiring.decodings(set_name).values())
    return problems * samples


# --- jobs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run, with what it would ask for."""

    rule: str
    wildcards: Mapping[str, str]
    threads: int
    resources: Mapping[str, Any]

    @property
    def gpus(self) -> int:
        """GPUs that it asks for: by `gpu`, by the last part of `gres`, or by their number on each of several nodes."""
        gres = re.search(r"(\d+)$", str(self.resources.get("gres", "")))
        a_node = re.search(r"--gpus-per-node=(\d+)", str(self.resources.get("slurm_extra", "")))
        elsewhere = int(gres[1]) if gres else int(a_node[1]) * int(self.resources["nodes"]) if a_node else 0
        return int(self.resources.get("gpu") or elsewhere)


@dataclass(frozen=True)
class Reckoned:
    """What a job is expected to do, and at most. `disk` is the size in bytes of the models that it writes.

    `roles` are the same two figures for each role, without time, which is the job's. `unknown_work` and `unknown_cost`
    say what is not known, so that the work, or only its time and disk, is missing.
    """

    job: Job
    expected: Bill
    most: Bill
    disk: float = 0.0
    unknown_work: str = ""
    unknown_cost: str = ""
    roles: Mapping[str, tuple[Bill, Bill]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reckoner:
    """Reckons what jobs cost. `billions` of parameters are by entry of `models`, None where they are unknown."""

    experiment: Experiment
    throughput: Throughput
    gpu: str
    billions: Mapping[str, float | None]
    problems: Problems
    measured: Measured | None = None

    @cached_property
    def wiring(self) -> Wiring:
        """The experiment as its rules see it."""
        return Wiring(self.experiment)

    @cached_property
    def costs(self) -> Mapping[str, Cost]:
        """The costs of all rules."""
        return costs(self.experiment)

    def habits(self, method: str = "") -> Habits:
        """How the base reasons in a method, as measured where it was."""
        assumed = self.throughput.habits_of(self.experiment.settings.base.source or "")
        return self.measured.correct(assumed, method) if self.measured else assumed

    def reckon(self, job: Job) -> Reckoned:
        """What one job costs."""
        estimates: Mapping[str, Estimate] = {}
        unknown = ""
        try:
            estimates = self._estimates(job)
        except UnknownCostError as error:
            unknown = str(error)
        usual = {role: estimate.expected for role, estimate in estimates.items()}
        limit = {role: estimate.most for role, estimate in estimates.items()}
        roles = {role: (self._bill(job, role, usual[role]), self._bill(job, role, limit[role])) for role in estimates}
        return Reckoned(
            job,
            self._timed(job, [bill for bill, _ in roles.values()], self._seconds(job, usual, usual)),
            self._timed(job, [bill for _, bill in roles.values()], self._seconds(job, limit, usual)),
            sum(work.written * (self._size(job, role) or 0.0) * 1e9 for role, work in usual.items()),
            unknown,
            self._unknown(job, usual),
            roles,
        )

    def _bill(self, job: Job, role: str, work: Work) -> Bill:
        """What a job does for a role, and what is paid for it."""
        endpoint = self.experiment.model_of(self.player(job, role)).endpoint
        prices = endpoint.prices if endpoint and self.engine(job, role) == "endpoint" else None
        paid = (work.prompt_tokens * prices.prompt + work.tokens * prices.completion) / 1e6 if prices else 0.0
        return Bill(**asdict(work), money=paid)

    def _timed(self, job: Job, bills: Sequence[Bill], seconds: float) -> Bill:
        return replace(reduce(add, bills, Bill()), seconds=seconds, gpu_seconds=seconds * job.gpus)

    @property
    def currency(self) -> str:
        """The currency of all prices; empty without any. Raises UserError for several currencies."""
        endpoints = [entry.endpoint for entry in self.experiment.endpoints().values()]
        found = list(dict.fromkeys(e.prices.currency for e in endpoints if e and e.prices))
        if len(found) > 1:
            raise UserError(f"the endpoints' prices are in {' and '.join(found)}; give all in one currency")
        return found[0] if found else ""

    def checkpoints(self, job: Job) -> float:
        """The disk that a training job takes while it lasts."""
        w = job.wildcards
        recipe = self.experiment.training(w["method"], w["variant"], w["specialist"]).recipe
        return checkpoint_bytes(recipe, (self.billions[BASE] or 0.0) * 1e9)

    # --- what a job does ---

    def _estimates(self, job: Job) -> Mapping[str, Estimate]:
        """What a job does, by role. Raises UnknownCostError."""
        cost = self.costs.get(job.rule)
        if cost is None:
            raise UnknownCostError(f"what the rule {job.rule} costs")
        return {} if cost is free else cost(self._circumstances(job))

    def _circumstances(self, job: Job) -> Circumstances:
        method, variant = self._variant(job)
        settings, w = self.experiment.settings, job.wildcards
        pool, shard, answered = self.problems.pools.get(method), 0, 0
        if "system" in w:
            if (problems := self.problems.sets[w["set"]]) is None:
                raise UnknownCostError(f"how many problems {w['set']} has")
            answered = answers(self.wiring, w["set"], problems)
        elif method and pool is None:
            raise UnknownCostError(f"how many problems {method} trains on")
        if pool and "shard" in w:
            size = settings.problems.shard_size
            shard = max(0, min(size, pool - int(w["shard"]) * size))
        return Circumstances(
            wildcards=w,
            common=settings,
            own=self.experiment.own.get((method, variant)),
            habits=self.habits("" if "system" in w else method),
            context=settings.base.context,
            shard=shard,
            pool=pool or 0,
            dev=_dev(self.experiment, pool) or 0,
            answers=answered,
        )

    def _variant(self, job: Job) -> tuple[str, str]:
        """The method and the variant that a job is of; no method for what all methods share."""
        if "system" in job.wildcards:
            system = self.experiment.systems[job.wildcards["system"]]
            return system.method, system.variant
        owner = next((name for name, method in METHODS.items() if job.rule in method.cost), "")
        return job.wildcards.get("method", owner), job.wildcards.get("variant", "main")

    # --- who does it ---

    def player(self, job: Job, role: str) -> str:
        """The name of the model that plays a role in a job: an entry of `models`, or one that is like the base."""
        if "system" in job.wildcards:
            return self.experiment.systems[job.wildcards["system"]].roles[role]
        if "entry" in job.wildcards:
            return job.wildcards["entry"]
        chosen = self.experiment.player(*self._variant(job), role) if role in self._roles(job) else None
        return chosen or TRAINED

    def engine(self, job: Job, role: str) -> str:
        """The engine that plays a role in a job: trainers have transformers, and what scores is no endpoint."""
        asked = self._roles(job).get(role)
        scores, trains = asked is not None and asked.does == "scores", "specialist" in job.wildcards
        return str(self.wiring.engine(self.player(job, role), trainer=trains, scores=scores)["engine"])

    def _roles(self, job: Job) -> Mapping[str, Role]:
        """The roles that a rule of a method's own asks; a model in training plays all of its own."""
        method, variant = self._variant(job)
        return self.experiment.roles(method, variant) if method and "specialist" not in job.wildcards else {}

    def _size(self, job: Job, role: str) -> float | None:
        """The parameters of a role's model in billions; what is trained has the base's."""
        return self.billions.get(self.player(job, role), self.billions[BASE])

    # --- how long it takes ---

    def _seconds(self, job: Job, works: Mapping[str, Work], expected: Mapping[str, Work]) -> float:
        """The time of a job that does `works` and is expected to do `expected`, as far as speeds are known."""
        if self.measured and job.rule in self.measured.rates:
            return sum(work.tokens for work in works.values()) / self.measured.rates[job.rule]
        assumed = self._assumed_seconds(job, works)
        if self.measured and job.rule in self.measured.seconds:
            usual = self._assumed_seconds(job, expected)
            return self.measured.seconds[job.rule] * (assumed / usual if assumed and usual else 1.0)
        return assumed

    def _assumed_seconds(self, job: Job, works: Mapping[str, Work]) -> float:
        took = {role: seconds for role, work in works.items() if (seconds := self._working(job, role, work))}
        return sum(took.values()) + self._starting(job, {role: works[role] for role in took}) if took else 0.0

    def _working(self, job: Job, role: str, work: Work) -> float | None:
        """The time that the work for a role takes once the job has started; None where the speed is unknown."""
        size, on_cpu = self._size(job, role), not job.gpus or self.experiment.settings.compute.runs_on() == "cpu"
        gpu, devices = ("cpu", 1) if on_cpu else (self.gpu, job.gpus)
        if not (work.tokens or work.pairs or work.merges):
            return 0.0
        if size is None:
            return None
        took: list[float | None] = [work.merges * self.throughput.merging * size]
        if work.tokens:  # where a model is trained, the first process answers while the others wait
            rate = rate_of(self.throughput.sampling.get(self.engine(job, role), []), gpu, size)
            took.append(rate and work.tokens / rate / (1 if "specialist" in job.wildcards else devices))
        if work.pairs:
            rate = rate_of(self.throughput.training, gpu, size)
            took.append(rate and work.pairs / rate / devices)
        known = [seconds for seconds in took if seconds is not None]
        return sum(known) if len(known) == len(took) else None

    def _starting(self, job: Job, works: Mapping[str, Work]) -> float:
        """The time until the first token, step or tensor; every model that answers is loaded once."""
        if self.experiment.settings.compute.runs_on() == "cpu":
            kinds = ["cpu"]
        elif any(work.pairs for work in works.values()):
            kinds = ["training"]
        elif any(work.merges for work in works.values()):
            kinds = ["merging"]
        else:
            kinds = [engine for _, engine in {(self.player(job, role), self.engine(job, role)) for role in works}]
        return sum(self.throughput.start.get(kind, 0.0) for kind in kinds)

    def _unknown(self, job: Job, works: Mapping[str, Work]) -> str:
        """What the time or the disk of a job would need that is not known."""
        measured = self.measured is not None and job.rule in {**self.measured.rates, **self.measured.seconds}
        for role, work in works.items():
            if self._size(job, role) is None and (work.written or work.tokens or work.pairs or work.merges):
                models, base = self.experiment.settings.models, self.experiment.settings.base
                entry = models.get(self.player(job, role), base)
                return f"how large {entry.source or base.source} is"
            if not measured and self._working(job, role, work) is None:
                return f"how fast {'training' if work.pairs else self.engine(job, role)} is there"
        return ""
