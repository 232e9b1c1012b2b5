"""All that a report shows, as plain data: no files, no models, no knowledge of how it came about.

What is empty is left out of the page, so that a method without a merge or an exploration uses the same report.
Accuracies and rates are shares of 1; lengths are in tokens of the evaluated model.
"""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SystemRow:
    """One system on one data set under one decoding: the wide row of the evaluation, field by field.

    The fields from `delta` on compare with the base and are None for the base itself. `kind`: base, prompt,
    specialist, merged or baseline.
    """

    system: str
    kind: str
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
class Lengths:
    """The token counts of one system's samples, for the histograms."""

    system: str
    kind: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class RewardCell:
    """The rewards of the chosen completions of one round and mode."""

    round: int
    mode: str
    rewards: tuple[float, ...]


@dataclass(frozen=True)
class FunnelStep:
    """One step of the funnel: what went in, what came out, what was rejected and why.

    `unit` is what is counted, for example `problems`. A step that turns one unit into another has `n_in` None.
    """

    label: str
    unit: str
    n_in: int | None
    n_out: int
    rejects: tuple[tuple[str, int], ...] = ()
    note: str = ""

    @property
    def lost(self) -> int:
        """Rows that neither came out nor were rejected with a reason; 0 unless something is wrong."""
        return 0 if self.n_in is None else self.n_in - self.n_out - sum(n for _, n in self.rejects)


@dataclass(frozen=True)
class ModeRow:
    """The completions asked for under one mode, and the steps kept from them."""

    mode: str
    completions: int
    correct: float
    tokens: float
    truncated: float
    kept: int
    step_tokens: float | None


@dataclass(frozen=True)
class Exploration:
    """What the exploration did; counts are of problems unless named otherwise.

    `sequences` are the modes of the kept steps, the most frequent sequence first.
    """

    problems: int
    solved: int
    completions: int
    generated_tokens: int
    rounds: tuple[tuple[int, int], ...]
    sequences: tuple[tuple[tuple[str, ...], int], ...]
    stops: tuple[tuple[str, int], ...]
    modes: tuple[ModeRow, ...]


@dataclass(frozen=True)
class Readout:
    """Accuracy and mean tokens on the dev split after a training step."""

    step: int
    accuracy: float
    accuracy_se: float
    tokens: float


@dataclass(frozen=True)
class TrainingRun:
    """One training run; losses and margins are (step, value), `chosen_step` is the checkpoint taken, if any."""

    learning_rate: float
    seed: int
    loss: tuple[tuple[int, float], ...]
    dev_loss: tuple[tuple[int, float], ...]
    margin: tuple[tuple[int, float], ...]
    readouts: tuple[Readout, ...]
    chosen_step: int | None = None


@dataclass(frozen=True)
class Specialist:
    """A trained model: its runs, the base's reading on the same dev split, and why its checkpoint was chosen.

    `facts` are pairs of name and value, such as the number of pairs and the lengths of winners and losers.
    """

    name: str
    runs: tuple[TrainingRun, ...]
    base: Readout | None
    choice: str
    facts: Pairs = ()


@dataclass(frozen=True)
class Merge:
    """A merge: how it was made, how it reads on the dev split, and what it did to the weights.

    `cosine` is that of the two deltas, `sign_agreement` the share of their entries that agree in sign,
    `norm_ratio` the norm of the merged delta over that of the deltas' mean, `changed` the share of weights that
    still differ from the base after the final cast.
    """

    name: str
    settings: str
    dev_accuracy: float | None
    dev_tokens: float | None
    cosine: float | None
    sign_agreement: float | None
    norm_ratio: float | None
    changed: float | None
    chosen: bool = False


@dataclass(frozen=True)
class CostRow:
    """What a stage cost. `generated` and `prompt` are tokens, None for a stage that generates nothing."""

    stage: str
    seconds: float
    generations: int | None = None
    generated: int | None = None
    prompt: int | None = None


@dataclass(frozen=True)
class Side:
    """One completion of a round. `before`, `step` and `after` make up its text; `step` is the part to keep.

    `step` is empty when there is no usable step, and `step_reject` says why.
    """

    mode: str
    before: str
    step: str
    after: str
    tokens: int
    finish: str
    verdict: str
    answer: str | None
    reward: float | None
    step_reject: str | None
    kept: bool


@dataclass(frozen=True)
class Round:
    """One round: its completions, and in words which step was kept and why."""

    number: int
    sides: tuple[Side, ...]
    reason: str


@dataclass(frozen=True)
class Answer:
    """A whole solution of a problem by some system."""

    system: str
    text: str
    tokens: int
    verdict: str
    answer: str | None
    note: str = ""


@dataclass(frozen=True)
class Path:
    """One explored problem: its rounds, why the search ended, the optimal path, and other systems' solutions."""

    problem_id: str
    question: str
    gold: str
    tags: tuple[str, ...]
    rounds: tuple[Round, ...]
    end: str
    optimal: Answer | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Suspect:
    """A problem whose candidates all agree on an answer that is not the gold one."""

    problem_id: str
    question: str
    gold: str
    candidates_say: str
    n: int


@dataclass(frozen=True)
class Line:
    """One line of a chart: a label and points; `low` and `high` are intervals; `marked` is an x to point out.

    A `dashed` line belongs to the solid one of the same label.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    marked: float | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A line chart. `reference` is a horizontal line with its label, for example the base's value."""

    name: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    reference: tuple[str, float] | None = None


@dataclass(frozen=True)
class Extra:
    """A section of a method's own: paragraphs, charts and a table (its first row holds the headings)."""

    title: str
    text: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class VariantRow:
    """One ablation: what its settings change, what it explored and trains on, and the system it ends with."""

    name: str
    differs: str
    completions: int
    solved: int
    training: str
    system: SystemRow


@dataclass(frozen=True)
class ReportData:
    """One report.

    `answer` opens the page: what the method achieved, in a few sentences with their intervals. `verdicts`,
    `merge_verdicts` and `decoding_verdicts` are further sentences computed from the results; `final` is the
    system that the method ends with. `systems` are those of the variant that the report is about; `variants` sets
    that beside the others.
    """

    title: str
    subtitle: str
    answer: tuple[str, ...]
    systems: tuple[SystemRow, ...]
    final: str
    variants: tuple[VariantRow, ...] = ()
    settings: Pairs = ()
    verdicts: tuple[str, ...] = ()
    merge_verdicts: tuple[str, ...] = ()
    decoding_verdicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lengths: tuple[Lengths, ...] = ()
    funnel: tuple[FunnelStep, ...] = ()
    exploration: Exploration | None = None
    rewards: tuple[RewardCell, ...] = ()
    specialists: tuple[Specialist, ...] = ()
    merges: tuple[Merge, ...] = ()
    extras_title: str = "More"
    extras: tuple[Extra, ...] = ()
    paths: tuple[Path, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    cost: tuple[CostRow, ...] = ()
    provenance: Pairs = ()
