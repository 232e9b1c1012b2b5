"""How fast models are and how much they write: the assumptions of config/throughput.yaml, and what runs measured."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml
from pydantic import ValidationError

from bestpath.catalog import METHODS, pattern_of
from bestpath.core.declarations import Habits
from bestpath.core.errors import UserError
from bestpath.core.io import read_json, read_jsonl
from bestpath.core.tables import read_table
from bestpath.settings.base import Count, Positive, Section, plain
from bestpath.stages.evaluation.tables import SAMPLES

ASSUMPTIONS = Path("config/throughput.yaml")


class _Habits(Section):
    """An entry of `habits`: see `declarations.Habits`."""

    steps: Positive
    solution: Positive
    answer: Positive
    prompt: Positive
    pairs: dict[str, Positive]


class Speed(Section):
    """What one GPU does in a second with a model of so many billion parameters; the GPU `cpu` is one job on a CPU."""

    gpu: str
    billions: Positive
    rate: Positive


class Throughput(Section):
    """config/throughput.yaml; it says there what each entry means."""

    billions: dict[str, Positive]
    problems: dict[str, Count]
    habits: dict[str, _Habits]
    sampling: dict[str, list[Speed]]
    training: list[Speed]
    merging: Positive
    start: dict[str, Positive]

    def habits_of(self, source: str) -> Habits:
        """How a model reasons, by its hub id; that of one without an entry as `default` says."""
        return Habits(**self.habits.get(source, self.habits["default"]).model_dump())

    @property
    def gpus(self) -> list[str]:
        """The GPUs whose speed in sampling is known."""
        known = dict.fromkeys(speed.gpu for speeds in self.sampling.values() for speed in speeds)
        return [gpu for gpu in known if gpu != "cpu"]


def load(path: Path = ASSUMPTIONS) -> Throughput:
    """Read the assumptions. Raises UserError naming the first entry that is missing or cannot be used."""
    try:
        return Throughput.model_validate(plain(yaml.safe_load(path.read_text(encoding="utf-8"))))
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: the entry {entry} cannot be used ({first['msg']}); correct it there") from None


def rate_of(speeds: Sequence[Speed], gpu: str, billions: float) -> float | None:
    """What one GPU does in a second with a model of this size: the nearest entry, scaled inversely, if there is one."""
    known = [speed for speed in speeds if speed.gpu == gpu]
    if not known:
        return None
    nearest = min(known, key=lambda speed: max(speed.billions / billions, billions / speed.billions))
    return nearest.rate * nearest.billions / billions


@dataclass(frozen=True)
class Measured:
    """What the jobs of an earlier run took and wrote, as far as it came.

    `habits` holds fields of `Habits`, of evaluation under the name "" and of methods under theirs, `seconds` the mean
    time of a rule's jobs, `rates` the tokens a second of a rule's jobs that generate, their starts included.
    """

    folder: Path
    habits: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    rates: Mapping[str, float]

    def correct(self, habits: Habits, method: str = "") -> Habits:
        """Assumed habits with what was measured in their place, in a method if it tells any."""
        told = {**self.habits.get("", {}), **self.habits.get(method, {})}
        return replace(habits, **{**told, "pairs": {**habits.pairs, **told.get("pairs", {})}})


def measure(folder: Path) -> Measured:
    """What the run measured whose results lie in `folder`, as far as it has come."""
    habits = {name: method.habits(folder / name) for name, method in METHODS.items()}
    answers = [
        row
        for file in sorted(folder.glob("evaluate/**/*.samples.parquet"))
        for row in read_table(file, SAMPLES, ("n_tokens", "n_prompt_tokens"))
    ]
    if answers:
        habits[""] = {
            "answer": fmean(row["n_tokens"] for row in answers),
            "prompt": fmean(row["n_prompt_tokens"] for row in answers),
        }
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for file in sorted(folder.glob("benchmarks/*/**/*.jsonl")):
        rule = file.relative_to(folder / "benchmarks").parts[0]
        seconds[rule] += [row["s"] for row in read_jsonl(file)]
    tokens = {rule: sum(map(_tokens, folder.glob(pattern))) for rule, pattern in _accounts().items()}
    return Measured(
        folder,
        {name: told for name, told in habits.items() if told},
        {rule: fmean(times) for rule, times in seconds.items()},
        {rule: n / sum(seconds[rule]) for rule, n in tokens.items() if n and seconds[rule]},
    )


def _accounts() -> dict[str, str]:
    """The accounts of all rules that generate, as patterns below the results."""
    accounts = {"evaluate_sample": "evaluate/**/*.usage.json"}
    for name, method in METHODS.items():
        for stage in method.stages.values():
            if stage.usage:
                accounts[stage.rule] = re.sub(r"\{\w+\}", "*", pattern_of(name, stage, stage.usage))
    return accounts


def _tokens(account: Path) -> int:
    """The tokens that a job generated, in all roles."""
    return sum(role["completion_tokens"] for role in read_json(account)["roles"].values())
