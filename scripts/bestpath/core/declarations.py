"""What a method declares: its stages, models and systems, and what they cost. Nobody else need know which method it is.

`Common` stands for the settings that all methods share (`settings.common`), `Own` for the settings of one variant of
the method. A function of a declaration receives these two and never the settings of another method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from bestpath.core.systems import Kind, System

Common = Any
Own = Any


# --- stages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """A file that another stage of the method makes: of the same variant, or of `variant`.

    `item` is what the stage makes several of (an iteration, a training set, a model). `every` asks for the files of all
    repetitions instead of the job's own.
    """

    stage: str
    file: str
    item: str = ""
    variant: str | None = None
    every: bool = False


Needs = Mapping[str, Need | Sequence[Need]]
"""What a stage is made from, by the name of the rule's input."""


def _nothing(common: Common, own: Own, item: str) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Stage:
    """What one rule makes for a variant, and all that it depends on.

    `files` are its files by name, below the folder of the variant: `s{seed}/explore/{shard}.parquet`. `settings` are
    those that stand in the rule's parameters, `needs` what it is made from; both depend on the item, whose wildcard
    is `item` in `files`. Two variants whose settings and needs are equal, all the way up, share the stage's files. A
    stage without `exists` for an item is not made by a variant. `roles` are those that it asks, and `usage` names the
    file in which `rule` says what that cost; a need of a role's name is a model of the method's own that plays the
    role.
    """

    files: Mapping[str, str]
    settings: Callable[[Common, Own, str], Mapping[str, Any]] = _nothing
    needs: Callable[[Common, Own, str], Needs] = _nothing
    item: str = ""
    exists: Callable[[Common, Own, str], bool] = lambda common, own, item: True
    roles: Sequence[str] = ()
    usage: str = ""
    rule: str = ""


# --- costs --------------------------------------------------------------------------------------------------------


TRAINER = "trainer"
"""The role of a model that is trained, merged or written in a job, or passed over training rows."""


@dataclass(frozen=True)
class Work:
    """What a job does for one role.

    `tokens` are generated, `prompt_tokens` read, `pairs` trained on (an SFT row is half a pair, a forward pass a third
    of training), `merges` are models made of others, and `written` is what it leaves of models on the disk, in bytes
    for each of their parameters.
    """

    completions: float = 0.0
    tokens: float = 0.0
    prompt_tokens: float = 0.0
    pairs: float = 0.0
    merges: float = 0.0
    written: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @classmethod
    def answers(cls, n: float, tokens: float, prompt_tokens: float) -> Self:
        """So many completions of so many tokens each, to prompts of so many."""
        return cls(n, n * tokens, n * prompt_tokens)


@dataclass(frozen=True)
class Estimate:
    """The work of a job for one role: as expected, and at most."""

    expected: Work = Work()
    most: Work = Work()


@dataclass(frozen=True)
class Habits:
    """How a model reasons.

    `steps` and `solution` are the steps and tokens of a whole solution to a training problem, `answer` the tokens of an
    answer in evaluation, `prompt` those of a prompt; `pairs` is training rows a problem, by training set.
    """

    steps: float
    solution: float
    answer: float
    prompt: float
    pairs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Circumstances:
    """What the cost of a job depends on: its wildcards, the settings, how its model reasons, and how many problems.

    `shard` is the number of problems of the job's shard, `pool` and `dev` that of all problems that the method trains
    on and of those set aside for choices, `answers` how many answers a job of the evaluation gives.
    """

    wildcards: Mapping[str, str]
    common: Common
    own: Own
    habits: Habits
    context: int
    shard: int = 0
    pool: int = 0
    dev: int = 0
    answers: int = 0


Cost = Callable[[Circumstances], Mapping[str, Estimate]]
"""The work of a rule's job, by role; training is that of `TRAINER`."""


def free(of: Circumstances) -> Mapping[str, Estimate]:
    """The cost of a rule that asks no model."""
    return {}


# --- models -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Role:
    """A role that a method's searches ask: whether its model generates or scores, and who plays it by default.

    `default` is `base`, another role, `trained` (a model that one of the method's stages trains), or None: it must be
    given. What judges is never the base by silence. The tokens of a role that `teaches` are counted apart.
    """

    does: Literal["generates", "scores"] = "generates"
    default: str | None = "base"
    teaches: bool = False


@dataclass(frozen=True)
class Training:
    """How one model is trained.

    `start` is the item of the model that training starts from; None: the base. `rows` and `dev` are its training and
    dev rows, `recipe` all settings of a run but the learning rate and the seed, in the words of the settings.
    `reference` are those of them that DPO's reference log-probabilities depend on; None: there are none to compute.
    `select` says whether the dev split chooses the checkpoint, `criterion` by what it chooses among `rates`.
    `per_problem` is how many rows a training problem is expected to give, and gives at most.
    """

    objective: Literal["dpo", "sft"]
    rows: Need
    dev: Need
    rates: Sequence[float]
    recipe: Mapping[str, Any]
    start: str | None = None
    reference: Mapping[str, Any] | None = None
    select: Literal["dev", "last"] = "dev"
    criterion: Literal["length", "accuracy", "last"] = "accuracy"
    per_problem: Callable[[Circumstances], tuple[float, float]] = lambda of: (1.0, 1.0)


@dataclass(frozen=True)
class Merging:
    """How one model is merged: the items of its parents, and mergekit's settings. One parent's delta is scaled."""

    parents: Sequence[str]
    way: Mapping[str, Any]
    dtype: str


# --- systems and the method ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """What a trained or merged model is called in tables and reports."""

    label: str
    kind: Kind
    iteration: int | None = None


class View(Protocol):
    """One method of an experiment, as its own functions see what it has made."""

    @property
    def common(self) -> Common:
        """The settings that all methods share."""
        ...

    @property
    def section(self) -> Any:
        """The method's own section."""
        ...

    @property
    def variants(self) -> list[str]:
        """The variants that are run."""
        ...

    def own(self, variant: str) -> Own:
        """The settings of a variant."""
        ...

    def made(self, variant: str, stage: str, file: str, item: str = "", seed: int = 0) -> list[str]:
        """The paths of a file that a stage makes for a variant: one a shard."""
        ...

    def system(self, variant: str, stage: str, item: str, seed: int) -> System:
        """The system of a trained (`train`) or merged (`merge`) model under the plain prompt."""
        ...

    def base_system(self) -> System:
        """The base under the plain prompt."""
        ...

    def answers(self, system: System, set_name: str) -> str:
        """The path of a system's answers to an evaluation set, or to `dev`, without `.samples.parquet` and
        `.scores.parquet`.
        """
        ...


@dataclass(frozen=True, eq=False)
class Method:
    """One paper. docs/add-a-method.md goes through it.

    `settings` is its section of the configuration, `embedded` the values in it that differ on the embedded world.
    `variants` are its known variants in the order in which they own what they share; `main` is the section itself.
    `prompts` are the fields that each prompt is given; `folder` is where they lie, `plain` the one under which
    everything trained is evaluated. `trained` and `merged` list the items of a variant, `training` and `merging` say
    how one is made, `named` what it is called. `systems` adds systems of the method's own. `roles` are those that a
    variant asks. `lessons` is the module of its lessons, `taught` names those that a variant needs. `check` raises
    UserError for settings that make no sense. `cost` has an entry for every rule of the method, and one for
    `evaluate_sample` if its systems answer in a way of their own; `assumptions` says in words what the variants are
    expected to do and what they do at most, and `habits` takes from the method's folder of a run what it tells of
    fields of `Habits`. `report` is the module that makes its chapter of the report, `entries` the files that it is made
    from and `facts` what stands in none. `gone` names settings of its section that are no more, and what takes their
    place.
    """

    name: str
    title: str
    settings: type[Any]
    variants: Sequence[str]
    stages: Mapping[str, Stage]
    prompts: Mapping[str, Sequence[str]]
    plain: str
    cost: Mapping[str, Cost]
    assumptions: Callable[[Common, Mapping[str, Own], Habits], tuple[str, str]]
    report: str
    entries: Callable[[View], Iterable[Mapping[str, Any]]]
    facts: Callable[[View], Mapping[str, Any]]
    named: Callable[[str, str], Named]
    embedded: Mapping[str, Any] = field(default_factory=dict)
    folder: Callable[[Common, Own], str] | None = None
    roles: Callable[[Common, Own], Mapping[str, Role]] = lambda common, own: {"actor": Role()}
    trained: Callable[[Common, Own], Sequence[str]] = lambda common, own: ()
    training: Callable[[Common, Own, str], Training | None] = lambda common, own, item: None
    merged: Callable[[Common, Own], Sequence[str]] = lambda common, own: ()
    merging: Callable[[Common, Own, str], Merging | None] = lambda common, own, item: None
    reader: Callable[[Common, Own], tuple[str, str]] = lambda common, own: ("text", "")
    systems: Callable[[Any], Sequence[System]] = lambda experiment: ()
    lessons: str = ""
    taught: Callable[[Common, Own], Sequence[str]] = lambda common, own: ()
    check: Callable[[Common, Mapping[str, Own]], None] = lambda common, variants: None
    habits: Callable[[Path], Mapping[str, Any]] = lambda folder: {}
    gone: Mapping[str, str] = field(default_factory=dict)
