"""The settings: typed, with their defaults; the one source of config/config.yaml, its schema and its page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bestpath.settings.base import Count, Positive, Section, Share, deep_merge, plain, sections_in
from bestpath.settings.endpoint import Endpoint
from bestpath.settings.gsi import Gsi
from bestpath.settings.recut import Explore, Recut

__all__ = [
    "Count",
    "Endpoint",
    "Explore",
    "Gsi",
    "Positive",
    "Recut",
    "Section",
    "Settings",
    "deep_merge",
    "plain",
    "sections_in",
]


class Model(Section):
    """The model that the method starts from."""

    source: str = Field("embedded", description="`embedded` (pretrained by the workflow), a model folder, or a hub id")
    revision: str | None = Field(None, description="hub revision, for example a commit")
    trust_remote_code: bool = Field(False, description="run code that comes with the model")
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="precision of sampling and training")
    context: Count = Field(512, description="longest prompt and completion together, in tokens")


class Embedded(Section):
    """The embedded world: a small language and the base model that the workflow pretrains on it."""

    depth: Count = Field(3, description="the size dial: layers; the width follows")
    steps: Count = Field(1000, description="pretraining steps")
    batch: Count = Field(32, description="documents a pretraining step")
    learning_rate: Positive = Field(0.01, description="of the matrices, under Muon; lower where there is much to copy")
    operations: tuple[Count, Count] = Field((3, 4), description="fewest and most operations in a problem")
    largest: int = Field(99, ge=20, description="largest number in a problem")
    levels: list[Count] = Field([], description="operations of each level of difficulty, in place of `operations`")
    level_weights: list[Positive] = Field(
        [], description="how common each level is in pretraining; default: all alike. Other problems have them alike"
    )
    rare: list[int] = Field(
        [], description="how many operations of each level are rare ones, products and quotients with 4 to 12"
    )
    lessons: list[str] = Field(["recut"], description="abilities taught in pretraining")
    pool: Count = Field(800, description="problems made for training")
    test: Count = Field(500, description="problems made for evaluation, never trained on")
    threads: Count = Field(2, description="threads of the pretraining job; other counts give other weights")


class Fields(Section):
    """Which field of the data holds what."""

    question: str = "question"
    answer: str = "answer"
    solution: str | None = Field(None, description="reference rationale")
    choices: str | None = Field(None, description="options of a multiple-choice problem")
    level: str | None = Field(None, description="difficulty level, an integer")
    id: str | None = Field(None, description="unique id; default: a digest of the question")


class Source(Section):
    """A set of problems."""

    path: str = Field(
        description="`embedded:train`, `embedded:test`, a local JSONL, JSON, Parquet or CSV file, or a hub id"
    )
    name: str | None = Field(None, description="the data set's name in tables; default: the key that it stands under")
    subset: str | None = Field(None, description="hub configuration name")
    split: str = Field("train", description="hub split")
    kind: Literal["math", "number", "choice", "exact", "theorem"] = Field(
        "math", description="rules of answer extraction and equality; `theorem` are TheoremQA's"
    )
    fields: Fields = Fields()
    n: Count | None = Field(None, description="draw this many problems at random; default: all")
    samples: Count | None = Field(None, description="samples a problem in sampled evaluation, if not the default")


class Problems(Section):
    """The training problems, and how all problems are split and checked."""

    train: Source = Source(
        path="embedded:train", kind="number", fields=Fields(solution="solution", level="level", id="id")
    )
    others: dict[str, Source] = Field({}, description="further data sets to train on, by name")
    dev_fraction: Share = Field(0.3, description="share of the training problems on which choices are made")
    shard_size: Count = Field(400, description="problems a job")
    max_bad: Share = Field(
        0.1, description="stop when a larger share of the rows has no question, no answer or an unusable one"
    )
    decontaminate_ngram: int = Field(
        13,
        ge=0,
        description="reject training problems that share this many words in a row with a test; 0: off",
    )


class Decoding(Section):
    """How evaluation draws its completions."""

    temperature: float = Field(0.0, ge=0.0)
    top_p: Share = 1.0
    top_k: int = Field(0, ge=0)
    samples: Count = Field(1, description="samples a problem")


class Evaluation(Section):
    """Evaluation of the base and of everything trained or merged."""

    sets: dict[str, Source] = {
        "test": Source(path="embedded:test", kind="number", fields=Fields(solution="solution", level="level", id="id"))
    }
    decodings: dict[str, Decoding] = {
        "greedy": Decoding(),
        "sampled": Decoding(temperature=0.7, top_p=0.8, top_k=20, samples=4),
    }
    base_prompts: list[str] = Field(
        ["neutral", "long", "short"], description="prompts under which the base is evaluated"
    )
    max_tokens: Count = Field(160, description="longest completion")
    bootstrap: Count = Field(10_000, description="resamples of a confidence interval")


class Vllm(Section):
    """The engine `vllm`."""

    tensor_parallel: Count = Field(1, description="GPUs that share one copy of the model; a job with more runs copies")
    gpu_memory: Share = Field(0.9, description="share of a GPU's memory that it uses")
    kv_cache_gb: Count = Field(1, description="GiB for keys and values on a CPU")
    eager: bool = Field(False, description="leave out compilation: a quicker start, slower tokens")


class Generation(Section):
    """How completions are generated."""

    engine: Literal["transformers", "vllm", "endpoint"] = Field(
        "transformers", description="`endpoint` plays the base model only; what is trained then runs on transformers"
    )
    slots: Count = Field(256, description="completions in flight at once, in each copy of the engine")
    vllm: Vllm = Vllm()
    endpoint: Endpoint | None = Field(None, description="for the engine `endpoint`")


class Compute(Section):
    """What a job that works on models asks for."""

    gpus: int = Field(0, ge=0, description="GPUs a job asks for")
    device: Literal["auto", "cpu"] = Field("auto", description="`cpu` computes there, whatever the job asks for")
    nodes: Count = Field(1, description="nodes of a training job under Slurm, each with `gpus` GPUs")
    processes: Count = Field(1, description="processes of a training job that runs on the CPU")
    threads: Count = Field(1, description="CPU threads a job; more than one makes CPU samples depend on the batch")
    mem_mb: Count = Field(3000, description="memory a job in MB")

    def runs_on(self) -> Literal["cpu", "cuda"]:
        """The device that models run on."""
        return "cuda" if self.gpus and self.device == "auto" else "cpu"


class Settings(Section):
    """All settings of one experiment."""

    method: Literal["recut", "gsi"] = Field("recut", description="what is run; each method has a section of its own")
    experiment: str = Field("embedded", pattern=r"^[A-Za-z0-9][\w.-]*$", description="its folder under results/")
    seed: int = Field(42, description="splits, draws of problems, the base model, evaluation")
    seeds: list[int] = Field([1], min_length=1, description="one repetition of exploration and training each")
    model: Model = Model()
    embedded: Embedded = Embedded()
    compute: Compute = Compute()
    generation: Generation = Generation()
    problems: Problems = Problems()
    recut: Recut = Recut()
    gsi: Gsi = Gsi()
    evaluation: Evaluation = Evaluation()
