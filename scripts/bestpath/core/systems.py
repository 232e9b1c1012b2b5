"""What is evaluated: a system, and a line of the result table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    evaluation do not count. A merge was trained on what its parents were trained on.
    """

    sampled_tokens: int = 0
    teacher_tokens: int = 0
    trained_rows: int = 0
    trained_tokens: int = 0


@dataclass(frozen=True)
class SystemRow:
    """One line of the result table: a system on one data set under one decoding, all of its repetitions together.

    Accuracies and rates are shares of 1, lengths are in tokens of the evaluated model. The fields from `delta` on
    compare with the reference and are None for the reference itself; `sampled_tokens` to `trained_tokens` are means
    over the repetitions (see `Spent`).
    """

    method: str
    system: str
    kind: Kind
    variant: str
    dataset: str
    decoding: str
    max_tokens: int
    problems: int
    samples: int
    seeds: int
    accuracy: float
    accuracy_se: float
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
    sampled_tokens: float = 0.0
    teacher_tokens: float = 0.0
    trained_rows: float = 0.0
    trained_tokens: float = 0.0
    delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None
    delta_seed_sd: float | None = None
    token_ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    ratio_seed_sd: float | None = None
    token_ratio_items: float | None = None
