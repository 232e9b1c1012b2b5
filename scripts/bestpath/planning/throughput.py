"""How fast models are and how much they write: the assumptions of config/throughput.yaml, and what runs measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import yaml
from pydantic import ValidationError

from bestpath.core.errors import UserError
from bestpath.core.io import read_json, read_jsonl
from bestpath.core.tables import Row
from bestpath.settings import Count, Positive, Section, plain

ASSUMPTIONS = Path("config/throughput.yaml")


class Habits(Section):
    """How a model reasons.

    `steps` and `solution` are the steps and tokens of a whole solution in exploration, `answer` the tokens of an
    answer in evaluation, `prompt` those of a prompt; `pairs` is training rows a problem, by training set.
    """

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
    habits: dict[str, Habits]
    sampling: dict[str, list[Speed]]
    training: list[Speed]
    merging: Positive
    start: dict[str, Positive]

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
    """What one GPU does in a second with a model of this size: the nearest entry, scaled inversely; None without."""
    known = [speed for speed in speeds if speed.gpu == gpu]
    if not known:
        return None
    nearest = min(known, key=lambda speed: max(speed.billions / billions, billions / speed.billions))
    return nearest.rate * nearest.billions / billions


@dataclass(frozen=True)
class Measured:
    """What the jobs of an earlier run took and wrote; what it has not come to yet is missing.

    `habits` holds fields of `Habits`, `seconds` the mean time of a rule's jobs, `rates` the tokens a second of a
    rule's jobs that generate, their starts included.
    """

    folder: Path
    habits: Mapping[str, float | Mapping[str, float]]
    seconds: Mapping[str, float]
    rates: Mapping[str, float]

    def correct(self, habits: Habits) -> Habits:
        """Assumed habits with what was measured in their place."""
        pairs = self.habits.get("pairs", {})
        assert isinstance(pairs, Mapping)
        return habits.model_copy(update={**self.habits, "pairs": {**habits.pairs, **pairs}})


def measure(folder: Path) -> Measured:
    """What a run measured whose results lie in `folder`; a run under way may be measured, too."""
    trials = _rows(folder, "recut/*/s*/explore/*.parquet", ("problem_id", "round", "n_tokens", "n_prompt_tokens"))
    answers = _rows(folder, "evaluate/**/*.samples.parquet", ("n_tokens", "n_prompt_tokens"))
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for file in sorted(folder.glob("benchmarks/*/**/*.jsonl")):
        rule = file.relative_to(folder / "benchmarks").parts[0]
        seconds[rule] += [row["s"] for row in read_jsonl(file)]
    habits: dict[str, float | Mapping[str, float]] = {}
    if trials:
        # a completion of the first round is a whole solution; the last round of a search is its last step
        last = {(row["file"], row["problem_id"]): row["round"] for row in sorted(trials, key=lambda row: row["round"])}
        habits["steps"] = fmean(last.values())
        habits["solution"] = fmean(row["n_tokens"] for row in trials if row["round"] == 1)
    if answers:
        habits["answer"] = fmean(row["n_tokens"] for row in answers)
    if trials or answers:
        habits["prompt"] = fmean(row["n_prompt_tokens"] for row in [*trials, *answers])
    if pairs := _pairs([read_json(file) for file in sorted(folder.glob("recut/*/s*/funnel.json"))]):
        habits["pairs"] = pairs
    tokens = {"recut_explore": trials, "evaluate_sample": answers}
    return Measured(
        folder,
        habits,
        {rule: fmean(times) for rule, times in seconds.items()},
        {
            rule: sum(row["n_tokens"] for row in rows) / sum(seconds[rule])
            for rule, rows in tokens.items()
            if rows and seconds[rule]
        },
    )


def _rows(folder: Path, pattern: str, columns: Sequence[str]) -> list[Row]:
    """Columns of all tables that match, with the file each row is from."""
    import pyarrow.parquet as pq

    found = []
    for file in sorted(folder.glob(pattern)):
        rows: list[Row] = pq.read_table(file, columns=list(columns), partitioning=None).to_pylist()
        found += [{**row, "file": file} for row in rows]
    return found


def _pairs(funnels: Sequence[Sequence[Row]]) -> dict[str, float]:
    """Training rows a problem by training set, from the counts of funnels."""
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for counts in funnels:
        problems = next(row["n"] for row in counts if row["stage"] == "problems")
        for row in counts:
            if row["outcome"] == "kept" and row["unit"] == "row" and problems:
                name = row["stage"].split(".")[1] if row["stage"].startswith("pairs.") else "sft"
                shares[name].append(row["n"] / problems)
    return {name: fmean(values) for name, values in shares.items()}
