"""What a run will cost, before anything of it has run: completions, tokens, time, disk and money.

Every quantity has two figures. What is *expected* follows from how models reason and how fast they are (see
`throughput`). What it can be *at most* follows from the settings: every search takes all its rounds, every completion
is as long as it may be, every problem gives a pair; the speed stays as expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.models import WEIGHT_BYTES
from bestpath.core.sources import read_rows
from bestpath.plan import decodings, endpoints
from bestpath.plan.recut import SETS
from bestpath.planning.disk import MODEL_RULES, checkpoint_bytes, model_bytes
from bestpath.planning.throughput import Habits, Measured, Throughput, rate_of
from bestpath.settings import Explore, Gsi, Recut, Settings, Source
from bestpath.settings.endpoint import Prices


@dataclass(frozen=True)
class Work:
    """What jobs do and cost: `tokens` are generated, `prompt_tokens` read; money is in the endpoint's currency."""

    completions: float = 0.0
    tokens: float = 0.0
    prompt_tokens: float = 0.0
    pairs: float = 0.0
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    money: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


# --- generation and training --------------------------------------------------------------------------------------


def explored(explore: Explore, problems: int, habits: Habits) -> Work:
    """What exploring is expected to generate.

    In round t a completion is the solution from its t-th step on, so a search through all T steps writes
    (T + 1) / 2 solutions for each mode and sample. The released stop rule goes on, repeating a step.
    """
    solution = min(habits.solution, explore.max_tokens)
    if explore.strategy == "whole":
        return _completions(problems * explore.samples_per_mode, solution, habits.prompt)
    rounds = min(explore.rounds, habits.steps)
    solutions = rounds - rounds * (rounds - 1) / (2 * habits.steps)
    if explore.stop_rule == "boxed_in_step":
        solutions += (explore.rounds - rounds) / habits.steps
        rounds = explore.rounds
    completions = problems * _a_round(explore) * rounds
    return _completions(completions, solution * solutions / rounds, habits.prompt)


def explored_at_most(explore: Explore, problems: int, context: int) -> Work:
    """What exploring can generate: all rounds, each completion as long as it may be."""
    completions = problems * (
        explore.samples_per_mode if explore.strategy == "whole" else _a_round(explore) * explore.rounds
    )
    return _completions(completions, explore.max_tokens, context)


def _a_round(explore: Explore) -> int:
    return len(explore.modes) * explore.samples_per_mode


def _completions(n: float, tokens: float, prompt_tokens: float) -> Work:
    return Work(n, n * tokens, n * prompt_tokens)


def answers(settings: Settings, set_name: str, problems: int) -> int:
    """How many completions one system draws on an evaluation set, or on `dev`."""
    samples: int = sum(decoding["samples"] for decoding in decodings(settings, set_name).values())
    return problems * samples


def problem_counts(settings: Settings, assumed: Mapping[str, int], results: Path) -> dict[str, int | None]:
    """The number of problems by set, `train` and `dev` included; None where it cannot be known yet.

    A table that is made already is counted, then a file; data sets of a hub are looked up in `assumed`.
    """
    counts = {name: _made(results / f"problems/{name}.parquet") for name in [*settings.evaluation.sets, "train"]}
    for name, source in settings.evaluation.sets.items():
        counts[name] = counts[name] or _planned(source, settings, assumed)
    drawn = [
        _planned(source, settings, assumed) for source in (settings.problems.train, *settings.problems.others.values())
    ]
    train = counts["train"] = counts["train"] or (None if None in drawn else sum(n for n in drawn if n))
    counts["dev"] = train and round(settings.problems.dev_fraction * train)
    return counts


def _made(table: Path) -> int | None:
    import pyarrow.parquet as pq

    return pq.read_metadata(table).num_rows if table.is_file() else None


def _planned(source: Source, settings: Settings, assumed: Mapping[str, int]) -> int | None:
    if source.path.startswith("embedded:"):
        there: int | None = settings.embedded.pool if source.path == "embedded:train" else settings.embedded.test
    elif Path(source.path).is_file():
        there = len(read_rows(source.path))
    else:
        there = assumed.get(f"{source.path} {source.split}")
    known = [n for n in (there, source.n) if n]
    return min(known) if known else None


_FURTHER = {"guided": 1.6, "plain": 7.6}
_PASS_RATE = 0.54
"""Further draws of a question on the average, with help and without, and the share of right answers: what the table of
expected sampling (GSI spec, section 6) has for five levels of pass rates from .95 to .1."""


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
    """What a job is expected to do, and at most. `disk` is the size in bytes of the model that it writes.

    `unknown_work` and `unknown_cost` say what is not known, so that the work, or only its time and disk, is missing.
    """

    job: Job
    expected: Work
    most: Work
    disk: float = 0.0
    unknown_work: str = ""
    unknown_cost: str = ""


@dataclass(frozen=True)
class Reckoner:
    """Reckons what jobs cost. `billions` of parameters, and a set's problem count, are None where they are unknown."""

    settings: Settings
    throughput: Throughput
    gpu: str
    billions: float | None
    problems: Mapping[str, int | None]
    measured: Measured | None = None

    @property
    def habits(self) -> Habits:
        """How the model reasons, as measured where it was."""
        known = self.throughput.habits
        assumed = known.get(self.settings.model.source, known["default"])
        return self.measured.correct(assumed) if self.measured else assumed

    def reckon(self, job: Job) -> Reckoned:
        """What one job costs."""
        disk, expected, most, unknown_work, unknown_cost = self._disk(job), Work(), Work(), "", ""
        try:
            expected, most = self._work(job)
        except _UnknownProblemsError as error:
            unknown_work = f"how many problems {error} has"
        seconds, most_seconds = (self._seconds(job, work, expected) for work in (expected, most))
        if self.billions is None and (disk is None or expected.tokens):
            unknown_cost = f"how large {self.settings.model.source} is"
        elif seconds is None and expected.tokens:
            unknown_cost = f"how fast {self.engine(job)} is there"
        expected = self._priced(job, expected, seconds or 0.0)
        most = self._priced(job, most, most_seconds or 0.0)
        return Reckoned(job, expected, most, disk or 0.0, unknown_work, unknown_cost)

    def _priced(self, job: Job, work: Work, seconds: float) -> Work:
        return replace(work, seconds=seconds, gpu_seconds=seconds * job.gpus, money=self._money(job, work))

    def _work(self, job: Job) -> tuple[Work, Work]:
        if job.rule == "recut_explore":
            return self._exploration(job, self._count("train"))
        if job.rule == "gsi_sample":
            return self._drawn(job, self._gsi(job).sample.n_init, self._gsi(job).sample.n_init)
        if job.rule == "gsi_guide":
            guidance = self._gsi(job).guidance
            usual = _FURTHER["plain" if guidance.strategy == "plain" else "guided"]
            return self._drawn(job, min(usual, guidance.rounds), guidance.rounds)
        if job.rule == "train_specialist" and job.wildcards.get("method") == "gsi":
            return self._iteration(job, int(job.wildcards["specialist"][1:]), self._gsi(job).train.epochs)
        if job.rule == "gsi_perplexity":  # a forward pass alone
            return self._iteration(job, int(job.wildcards["t"]), 1 / 3)
        if job.rule == "train_reference":
            return self._reference(job, self._count("train"))
        if job.rule == "train_specialist":
            return self._training(job, self._count("train"))
        if job.rule == "evaluate_sample":
            name = job.wildcards["set"]
            return self._answers(answers(self.settings, name, self._count(name)))
        return Work(), Work()

    def _count(self, name: str) -> int:
        if (count := self.problems[name]) is None:
            raise _UnknownProblemsError(name)
        return count

    def _exploration(self, job: Job, problems: int) -> tuple[Work, Work]:
        size = self.settings.problems.shard_size
        n = max(0, min(size, problems - int(job.wildcards["shard"]) * size))
        explore = self.settings.recut.variant(job.wildcards["variant"]).explore
        return explored(explore, n, self.habits), explored_at_most(explore, n, self.settings.model.context)

    def _gsi(self, job: Job) -> Gsi:
        return self.settings.gsi.variant(job.wildcards["variant"])

    def _section(self, job: Job) -> Recut | Gsi:
        """The settings of the variant that a job is of."""
        section = self.settings.gsi if job.wildcards.get("method") == "gsi" else self.settings.recut
        return section.variant(job.wildcards["variant"])

    def _drawn(self, job: Job, usual: float, limit: int) -> tuple[Work, Work]:
        """So many answers to each problem of a shard that is trained on."""
        size = self.settings.problems.shard_size
        shard = max(0, min(size, self._count("train") - int(job.wildcards["shard"]) * size))
        n, most = shard * (1 - self.settings.problems.dev_fraction), self._gsi(job).sample.max_tokens
        expected = _completions(n * usual, min(most, self.habits.solution), self.habits.prompt)
        return expected, _completions(n * limit, most, self.settings.model.context)

    def _iteration(self, job: Job, t: int, epochs: float) -> tuple[Work, Work]:
        """SFT on the references, or on what was drawn; a row takes about half the time of a pair."""
        gsi, pool = self._gsi(job), self._count("train") - self._count("dev")
        limit = gsi.select.cap or gsi.sample.n_init + gsi.guidance.rounds
        usual = min(limit, _PASS_RATE * gsi.sample.n_init) if t else 1.0
        rows = pool * epochs / 2
        return Work(pairs=rows * usual), Work(pairs=rows * (limit if t else 1.0))

    def _training(self, job: Job, problems: int) -> tuple[Work, Work]:
        """A pass over the pairs an epoch; the dev problems are answered before training and at each checkpoint."""
        recut = self.settings.recut.variant(job.wildcards["variant"])
        dev = self._count("dev")
        readouts = dev * (recut.train.checkpoints + 1) if recut.train.select == "dev" else 0
        expected, most = self._answers(readouts)
        usual, limit = self._pairs(job)
        rows = (problems - dev) * recut.train.epochs
        return expected + Work(pairs=rows * usual), most + Work(pairs=rows * limit)

    def _reference(self, job: Job, problems: int) -> tuple[Work, Work]:
        """One forward pass over the pairs of both splits, which takes a third of the time of training on them."""
        usual, limit = self._pairs(job)
        return Work(pairs=problems * usual / 3), Work(pairs=problems * limit / 3)

    def _pairs(self, job: Job) -> tuple[float, int]:
        """The pairs that a problem is expected to give, and gives at most."""
        pairs = self.settings.recut.variant(job.wildcards["variant"]).pairs
        name = SETS[job.wildcards["specialist"]]
        limit = 1 if name == "sft" else pairs.max_per_problem * (2 if name == "union" else 1)
        return min(limit, self.habits.pairs[name]), limit

    def _answers(self, n: int) -> tuple[Work, Work]:
        most, habits = self.settings.evaluation.max_tokens, self.habits
        expected = _completions(n, min(most, habits.answer), habits.prompt)
        return expected, _completions(n, most, self.settings.model.context)

    def engine(self, job: Job) -> str:
        """The engine that generates in a job: an endpoint serves the base alone, and trainers have transformers."""
        engine: str = self.settings.generation.engine
        on_base = job.rule == "recut_explore" or job.wildcards.get("model") == "base"
        own = job.rule == "train_specialist" or (engine == "endpoint" and not on_base)
        return "transformers" if own else engine

    def _seconds(self, job: Job, work: Work, expected: Work) -> float | None:
        """The time of a job that does `work` and is expected to do `expected`; None where its speed is unknown."""
        if self.measured and job.rule in self.measured.rates:
            return work.tokens / self.measured.rates[job.rule]
        assumed = self._assumed_seconds(job, work)
        if self.measured and job.rule in self.measured.seconds:
            usual = self._assumed_seconds(job, expected)
            return self.measured.seconds[job.rule] * (assumed / usual if assumed and usual else 1.0)
        return assumed

    def _assumed_seconds(self, job: Job, work: Work) -> float | None:
        if self.billions is None or not (work.tokens or work.pairs or job.rule == "merge_models"):
            return None
        on_cpu = not job.gpus or self.settings.compute.runs_on() == "cpu"
        gpu, devices, engine = "cpu" if on_cpu else self.gpu, 1 if on_cpu else job.gpus, self.engine(job)
        if job.rule == "merge_models":
            kind, took = "merging", self.throughput.merging * self.billions
        else:
            sampling = rate_of(self.throughput.sampling.get(engine, []), gpu, self.billions)
            training = rate_of(self.throughput.training, gpu, self.billions)
            if sampling is None or training is None:
                return None
            if work.pairs:  # the first process reads the checkpoints out while the others wait
                kind, took = "training", work.tokens / sampling + work.pairs / training / devices
            else:
                kind, took = engine, work.tokens / sampling / devices
        return took + self.throughput.start.get("cpu" if self.settings.compute.runs_on() == "cpu" else kind, 0.0)

    @property
    def currency(self) -> str:
        """The currency of all prices; empty without any. Raises UserError for several currencies."""
        prices = [endpoint.prices for endpoint in endpoints(self.settings).values() if endpoint.prices]
        found = list(dict.fromkeys(price.currency for price in prices))
        if len(found) > 1:
            raise UserError(f"the endpoints' prices are in {' and '.join(found)}; give all in one currency")
        return found[0] if found else ""

    def _money(self, job: Job, work: Work) -> float:
        """What is paid for a job's own answers, and to a teacher elsewhere."""
        paid = 0.0
        if (endpoint := self.settings.generation.endpoint) and self.engine(job) == "endpoint":
            paid += _price(endpoint.prices, work.prompt_tokens, work.tokens)
        if job.rule == "gsi_guide" and (guidance := self._gsi(job).guidance).strategy == "interactive":
            teacher = guidance.teacher  # which reads an answer before each further draw, and says what is wrong in it
            if teacher.endpoint:
                feedback = work.completions * teacher.max_tokens
                paid += _price(teacher.endpoint.prices, work.prompt_tokens + work.tokens, feedback)
        return paid

    def checkpoints(self, job: Job) -> float:
        """The disk that a training job takes while it lasts."""
        return checkpoint_bytes(self._section(job), (self.billions or 0.0) * 1e9)

    def _disk(self, job: Job) -> float | None:
        """The bytes of the model that a job writes or fetches; None for one of unknown size."""
        fetched = job.rule == "import_base" and not Path(self.settings.model.source).is_dir()
        if not fetched and job.rule not in MODEL_RULES:
            return 0.0
        if self.billions is None:
            return None
        if fetched:  # into the hub's cache; a folder is linked
            return WEIGHT_BYTES["bfloat16"] * self.billions * 1e9
        return model_bytes(job.rule, self._section(job), self.billions * 1e9)


def _price(prices: Prices | None, read: float, written: float) -> float:
    """The price of so many tokens; nothing where none is set."""
    return (read * prices.prompt + written * prices.completion) / 1e6 if prices else 0.0


class _UnknownProblemsError(Exception):
    """The set whose number of problems is not known yet."""
