"""What is evaluated: a system, and a line of the result table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["base", "prompt", "specialist", "merged", "baseline", "derived"]
Reader = Literal["text", "program"]

BASE = "base"
"""The name of the base among the models."""


@dataclass(frozen=True)
class System:
    """Models in roles, prompts, and a way to answer with them.

    `id` is unique in an experiment and part of paths; `label` is what tables and reports say, shared by the repetitions
    (`seed`) of one system and by nothing else. `kind` groups systems: the base, the base under another prompt, a
    specialist, a merge, another baseline, or one derived from finished answers. `roles` maps a role to the name of a
    model, `prompts` the name of a prompt to its file. `answerer` is a search by its name (see `stages.evaluation`),
    and `options` are its settings. `reader` says how an output becomes an answer at grading, outside any GPU job: as
    it is, or by running it as a program under `isolation` at least. `sets` and `decodings` name those it answers;
    None: all of the configuration. A derived system samples nothing: `scores` is the file, by evaluation set, of the
    verdicts that a rule of its method's computes.
    """

    id: str
    method: str
    label: str
    kind: Kind
    variant: str = "main"
    seed: int = 0
    iteration: int | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    answerer: str = "plain"
    options: Mapping[str, Any] = field(default_factory=dict)
    reader: Reader = "text"
    isolation: str = ""
    sets: tuple[str, ...] | None = None
    decodings: tuple[str, ...] | None = None
    scores: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Spent:
    """What a system was made from: completion tokens of all jobs upstream of it, and what it was trained on.

    Jobs that it shares with others count in full; a teacher's tokens stand apart; reading out checkpoints and
    evaluation do not count. A merge was trained on what its parents were trained on. Several repetitions have their
    mean.
    """

    sampled_tokens: float = 0
    teacher_tokens: float = 0
    trained_rows: float = 0
    trained_tokens: float = 0

    def record(self) -> dict[str, float]:
        """The counts as a record of JSON."""
        return asdict(self)


def spent_on(
    accounts: Iterable[Mapping[str, Any]], trained: Iterable[Mapping[str, int]], teachers: Collection[str]
) -> Spent:
    """What a system was made from, by the accounts of all jobs upstream of it and by what its models were trained on.

    An account has `roles`: by role `completion_tokens`. `teachers` are the roles whose tokens stand apart.
    """
    sampled = taught = 0
    for account in accounts:
        for role, used in account["roles"].items():
            if role in teachers:
                taught += used["completion_tokens"]
            else:
                sampled += used["completion_tokens"]
    trained = list(trained)
    return Spent(sampled, taught, sum(part["rows"] for part in trained), sum(part["tokens"] for part in trained))


@dataclass(frozen=True)
class Evaluated:
    """What a line of the result table is of: a system by its label, on one data set under one decoding.

    `variant` is the one that the system is at home in; another that shares it is not named.
    """

    method: str
    system: str
    kind: Kind
    variant: str
    dataset: str
    decoding: str
    max_tokens: int


@dataclass(frozen=True)
class Measurement:
    """What the samples of one system show. Rates and accuracies are shares of 1; lengths are in tokens of the
    evaluated model.

    Values that do not exist are None: accuracies where nothing was graded, spreads with one seed, `tokens_correct`
    with no correct sample.
    """

    problems: int
    samples: int
    seeds: int
    accuracy: float | None
    accuracy_se: float | None
    accuracy_seed_sd: float | None
    tokens: float | None
    tokens_se: float | None
    tokens_seed_sd: float | None
    tokens_median: float | None
    tokens_correct: float | None
    tokens_wrong: float | None
    truncation: float
    no_answer: float
    undecided: float
    errors: float


@dataclass(frozen=True)
class Comparison:
    """A system set against another, its `reference`, on the same problems, with 95 % intervals of a paired bootstrap
    by problem.

    `delta` is the difference of the accuracies, `token_ratio` the ratio of the mean lengths, `token_ratio_items` the
    mean of the problems' own ratios. The intervals cover the choice of problems; the spread over seeds stands beside
    them. Values that do not exist are None: all of the reference itself, intervals of a single problem, differences
    where no problem has a value on both sides.
    """

    reference: str | None = None
    delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None
    delta_seed_sd: float | None = None
    token_ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    ratio_seed_sd: float | None = None
    token_ratio_items: float | None = None


@dataclass(frozen=True)
class SystemRow(Spent, Comparison, Measurement, Evaluated):
    """One line of the result table: what it is of, what its samples show, the comparison with the reference of the
    experiment, and what the system was made from; all of its repetitions together."""
