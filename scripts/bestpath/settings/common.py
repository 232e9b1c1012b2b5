"""The settings that all methods share: typed, with their defaults.

Defaults are those of a real run. `EMBEDDED` holds what differs where the base is the embedded one; a configuration lies
over both.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bestpath.settings.base import Count, Positive, Section, Share
from bestpath.settings.models import Model


class Embedded(Section):
    """The embedded world: a small language and the base model that the workflow pretrains on it."""

    depth: Count = Field(3, description="layers; the width follows from them")
    steps: Count = Field(1000, description="pretraining steps")
    batch: Count = Field(32, description="documents a pretraining step")
    learning_rate: Positive = Field(
        0.01, description="of the weight matrices (Muon); lessons with much to copy want a lower one"
    )
    muon_dtype: Literal["bfloat16", "float32"] = Field(
        "bfloat16", description="in which Muon orthogonalises; many CPUs are slow in bfloat16"
    )
    operations: tuple[Count, Count] = Field((3, 4), description="fewest and most operations in a problem")
    largest: int = Field(99, ge=20, description="largest number in a problem")
    levels: list[Count] = Field([], description="operations of each level of difficulty, in place of `operations`")
    level_weights: list[Positive] = Field(
        [], description="how common each level is in pretraining; default: equally, as in all other problems"
    )
    rare: list[int] = Field(
        [], description="how many operations of each level are rare ones, products and quotients with 4 to 12"
    )
    lessons: list[str] = Field([], description="abilities taught in pretraining; default: those of the first method")
    pool: Count = Field(800, description="problems made for training")
    test: Count = Field(500, description="problems made for evaluation, never trained on")
    threads: Count = Field(2, description="threads of the pretraining job; another number gives other weights")


class Fields(Section):
    """Which field of the data holds what."""

    question: str = "question"
    answer: str = "answer"
    solution: str | None = Field(None, description="reference solution")
    choices: str | None = Field(None, description="options of a multiple-choice problem")
    level: str | None = Field(None, description="difficulty level, an integer")
    messages: str | None = Field(
        None, description="the chat that asks, turns of role and content, in place of a prompt"
    )
    reference: str | None = Field(None, description="an answer to compare others with")
    id: str | None = Field(None, description="unique id; default: a digest of the question")


class Source(Section):
    """A set of problems."""

    path: str = Field(
        description="`embedded:train`, `embedded:test`, a local JSONL, JSON, Parquet or CSV file, or a hub id"
    )
    name: str | None = Field(None, description="the data set's name in tables; default: the key that it stands under")
    subset: str | None = Field(None, description="hub configuration name")
    split: str = Field("train", description="hub split")
    kind: Literal["math", "number", "choice", "exact", "theorem", "open"] = Field(
        "math", description="rules of extraction and equality; `theorem` are TheoremQA's, `open` has no gold answer"
    )
    fields: Fields = Fields()
    n: Count | None = Field(None, description="draw this many problems at random; default: all")
    samples: Count | None = Field(
        None, description="samples a problem under decodings that sample; default: the decoding's own"
    )


class Problems(Section):
    """The training problems, and how all problems are split and checked."""

    train: Source
    others: dict[str, Source] = Field({}, description="further data sets to train on, by name")
    dev_fraction: Share = Field(0.1, description="share of the training problems on which choices are made")
    shard_size: Count = Field(1000, description="problems a job")
    max_bad: Share = Field(0.1, description="stop when a larger share of the rows has no question or no usable answer")
    decontaminate_ngram: int = Field(
        13,
        ge=0,
        description="reject training problems that share this many words in a row with a test problem; 0: off",
    )


class Decoding(Section):
    """How evaluation draws its completions."""

    temperature: float = Field(0.0, ge=0.0)
    top_p: Share = 1.0
    top_k: int = Field(0, ge=0)
    samples: Count = Field(1, description="samples a problem")


class Evaluation(Section):
    """Evaluation of the base and of everything trained or merged."""

    sets: dict[str, Source] = Field(min_length=1, description="the evaluation sets, by name")
    decodings: dict[str, Decoding] = Field(min_length=1, description="ways to draw completions, by name")
    max_tokens: Count = Field(2048, description="longest completion")
    bootstrap: Count = Field(10_000, description="resamples of a confidence interval")


class Vllm(Section):
    """The engine `vllm`."""

    tensor_parallel: Count = Field(
        1, description="GPUs that share one copy of the model; a job with more GPUs runs several copies"
    )
    gpu_memory: Share = Field(0.9, description="share of a GPU's memory that it uses")
    kv_cache_gb: Count = Field(1, description="GiB for keys and values on a CPU")
    eager: bool = Field(False, description="leave out compilation: starts sooner, generates slower")


class Generation(Section):
    """How completions are generated, where an entry of `models` says nothing else."""

    engine: Literal["transformers", "vllm"] = Field("transformers", description="the engine of models that run here")
    slots: Count = Field(256, description="completions that each copy of the engine works on at once")
    vllm: Vllm = Vllm()


class Compute(Section):
    """What a job that works on models asks for."""

    gpus: int = Field(0, ge=0, description="GPUs a job asks for")
    device: Literal["auto", "cpu"] = Field(
        "auto", description="`cpu` computes on the CPU even in a job that asks for GPUs"
    )
    nodes: Count = Field(1, description="nodes of a training job under Slurm, each with `gpus` GPUs")
    processes: Count = Field(1, description="processes of a training job that runs on the CPU")
    threads: Count = Field(
        1, description="CPU threads a job; with more than one, samples drawn on a CPU depend on the batch"
    )
    mem_mb: Count = Field(3000, description="memory a job in MB")

    def runs_on(self) -> Literal["cpu", "cuda"]:
        """The device that models run on."""
        return "cuda" if self.gpus and self.device == "auto" else "cpu"


class Common(Section):
    """All settings of one experiment but those of its methods."""

    experiment: str = Field("embedded", pattern=r"^[A-Za-z0-9][\w.-]*$", description="its folder under results/")
    seed: int = Field(42, description="splits, draws of problems, the base model, evaluation")
    seeds: list[int] = Field([1], min_length=1, description="a repetition of sampling and training for each")
    models: dict[str, Model] = Field(
        {"base": Model(source="embedded")}, description="the base, and the models that play other roles, by name"
    )
    embedded: Embedded = Embedded()
    compute: Compute = Compute()
    generation: Generation = Generation()
    problems: Problems
    evaluation: Evaluation

    @property
    def base(self) -> Model:
        """The model that every method starts from."""
        return self.models["base"]

    @property
    def is_embedded(self) -> bool:
        """Whether the base is the one that the workflow pretrains."""
        return self.base.source == "embedded"

    def sources(self) -> dict[str, Source]:
        """Where the training problems come from, by the name of the data set."""
        return {"train": self.problems.train, **self.problems.others}


DECODINGS: dict[str, Any] = {
    "greedy": {},
    "sampled": {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "samples": 4},
}
"""How completions are drawn in evaluation, by name; a configuration adds to them, or removes one by null."""

_FIELDS = {"question": "question", "answer": "answer", "solution": "solution", "level": "level", "id": "id"}

EMBEDDED: dict[str, Any] = {
    "models": {"base": {"dtype": "float32", "context": 512}},
    "problems": {
        "train": {"path": "embedded:train", "kind": "number", "fields": _FIELDS},
        "dev_fraction": 0.3,
        "shard_size": 400,
    },
    "evaluation": {
        "sets": {"test": {"path": "embedded:test", "kind": "number", "fields": _FIELDS}},
        "max_tokens": 160,
    },
}
"""What differs where the base is the embedded one: a small context, short answers, problems of its language."""
