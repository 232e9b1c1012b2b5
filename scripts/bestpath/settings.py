"""The settings: typed, with their defaults; the one source of config/config.yaml, its schema and its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]


class Section(BaseModel):
    """A part of the settings. Unknown keys are errors, and strings are never taken for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


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
    operations: tuple[Count, Count] = Field((3, 4), description="fewest and most operations in a problem")
    largest: int = Field(99, ge=20, description="largest number in a problem")
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
    subset: str | None = Field(None, description="hub configuration name")
    split: str = Field("train", description="hub split")
    kind: Literal["math", "number", "choice", "exact"] = Field(
        "math", description="rules of answer extraction and equality"
    )
    fields: Fields = Fields()
    n: Count | None = Field(None, description="draw this many problems at random; default: all")
    samples: Count | None = Field(None, description="samples a problem in sampled evaluation, if not the default")


class Problems(Section):
    """The training problems, and how all problems are split and checked."""

    train: Source = Source(
        path="embedded:train", kind="number", fields=Fields(solution="solution", level="level", id="id")
    )
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


class Explore(Section):
    """ReCUT's stepwise exploration."""

    strategy: Literal["stepwise", "whole"] = Field(
        "stepwise", description="`whole` draws complete solutions under the neutral prompt instead"
    )
    rounds: Count = Field(8, description="R, the most steps that a path can have")
    modes: list[Literal["long", "short"]] = Field(["long", "short"], min_length=1)
    samples_per_mode: Count = 1
    temperature: float = Field(0.7, ge=0.0)
    top_p: Share = 0.95
    max_tokens: Count = Field(160, description="longest completion")
    continuation: Literal["prompt", "prefill"] = Field(
        "prompt", description="kept steps stand in the user's turn, or start the assistant's"
    )
    stop_rule: Literal["terminal", "boxed_in_step"] = Field(
        "terminal", description="`boxed_in_step` is the released rule, which hardly ever stops"
    )
    alpha: Positive = Field(1.0, description="reward of a correct completion, before division by its length")
    beta: float = Field(1.0, ge=0.0, description="penalty of a wrong one, likewise")
    both_wrong: Literal["formula", "figure"] = Field(
        "formula", description="when both are wrong keep the longer (`formula`) or the shorter (`figure`)"
    )
    unparsable_tier: Literal["below_wrong", "same"] = "below_wrong"
    length_unit: Literal["tokens", "chars"] = "tokens"


class Policy(Section):
    """Which candidate loses against the optimal path."""

    rejected: Literal["longest", "random", "median", "shortest", "length_matched", "all"] = "longest"


class Pairs(Section):
    """ReCUT's preference pairs."""

    rule: Literal["fixed", "released"] = Field("fixed", description="`released` reproduces its wrong winners")
    rounds: Count | None = Field(None, description="use only candidates of the first rounds of the trace")
    verifier: Literal["dataset", "exact"] = Field(
        "dataset", description="`exact` re-grades the trace by string equality"
    )
    length_unit: Literal["tokens", "chars"] = "tokens"
    rho: float = Field(1.2, ge=1.0, description="a length loser has at least rho times the winner's tokens")
    max_per_problem: Count = 1
    min_pairs: Count = Field(50, description="stop when a set has fewer pairs to train on than this")
    train_prompt: Literal["neutral", "bare"] = Field("neutral", description="`bare` is the problem alone")
    length: Policy = Policy(rejected="longest")
    accuracy: Policy = Policy(rejected="random")


class Lora(Section):
    """Low-rank adapters."""

    r: Count = 8
    alpha: Count = 16
    dropout: Share = 0.0
    targets: str = "all-linear"


class LearningRates(Section):
    """Learning rates to try, by training set; the best is chosen on the dev split."""

    length: list[Positive] = [4.0e-5, 8.0e-5]
    accuracy: list[Positive] = [1.0e-4, 2.0e-4]
    union: list[Positive] = [4.0e-5, 8.0e-5]
    sft: list[Positive] = [5.0e-5, 1.0e-4]


class Train(Section):
    """Training through TRL."""

    loss: Literal["sigmoid", "sigmoid_norm", "ipo"] = "sigmoid"
    beta: Positive = Field(0.1, description="DPO's beta")
    ld_alpha: Share | None = Field(None, description="length-desensitised DPO: weight of the tokens past the shorter")
    sft_weight: float = Field(0.0, ge=0.0, description="weight of an added SFT term on the chosen text")
    learning_rates: LearningRates = LearningRates()
    epochs: Positive = 1.0
    global_batch: Count = 16
    micro_batch: Count = Field(16, description="pairs at once on one device; the rest is accumulated")
    max_length: Count = Field(512, description="longer pairs are rejected, never cut")
    warmup_ratio: float = Field(0.1, ge=0.0, lt=1.0)
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    lora: Lora | None = Field(None, description="default: full weights")
    gradient_checkpointing: bool = False
    padding_free: bool = Field(False, description="SFT without padding between rows; TRL has no such DPO")
    liger: bool = Field(False, description="Liger kernels, on a GPU")
    zero: Literal[0, 2, 3] = Field(0, description="stage of DeepSpeed ZeRO; 0 trains without DeepSpeed")
    checkpoints: Count = Field(4, description="checkpoints a run, evenly spaced; the dev split chooses")
    select: Literal["dev", "last"] = "dev"


class MergeMethod(Section):
    """One way to merge the two specialists (mergekit's names)."""

    method: Literal["dare_ties", "ties", "dare_linear", "linear", "task_arithmetic", "slerp", "sce"]
    density: Share = 1.0
    weight: Positive = Field(0.5, description="weight of each specialist's delta")
    normalize: bool = True
    share: Share | None = Field(None, description="`linear`, `slerp`: the length specialist's share")


class Merge(Section):
    """Merging the specialists."""

    methods: dict[str, MergeMethod] = {
        "dare_ties": MergeMethod(method="dare_ties", density=0.25, weight=0.25),
        "ties": MergeMethod(method="ties"),
        "linear-0.25": MergeMethod(method="linear", share=0.25),
        "linear-0.5": MergeMethod(method="linear", share=0.5),
        "linear-0.75": MergeMethod(method="linear", share=0.75),
    }
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="the one final cast; the merge itself is float32"
    )


VARIANTS: dict[str, dict[str, Any]] = {
    "no_stepwise": {"explore": {"rounds": 1, "samples_per_mode": 4}},
    "long_only": {"explore": {"modes": ["long"], "samples_per_mode": 2}},
    "short_only": {"explore": {"modes": ["short"], "samples_per_mode": 2}},
    "both_wrong_figure": {"explore": {"both_wrong": "figure"}},
    "beta_0": {"explore": {"beta": 0.0}},
    "released_stop_rule": {"explore": {"stop_rule": "boxed_in_step"}},
    "rounds_1": {"pairs": {"rounds": 1}},
    "rounds_2": {"pairs": {"rounds": 2}},
    "rounds_4": {"pairs": {"rounds": 4}},
    "rounds_8": {"pairs": {"rounds": 8}},
    "released_pairs": {"pairs": {"rule": "released"}},
    "bare_prompt": {"pairs": {"train_prompt": "bare"}},
    "exact_verifier": {"pairs": {"verifier": "exact"}},
    "characters": {"pairs": {"length_unit": "chars"}},
    "union": {"specialists": "union"},
    "sequential": {"specialists": "sequential"},
    "sft_shortest": {"specialists": "sft"},
    "sft_rejection": {"specialists": "sft", "explore": {"strategy": "whole", "samples_per_mode": 8}},
    "sigmoid_norm": {"train": {"loss": "sigmoid_norm", "beta": 2.0}},
    "ipo": {"train": {"loss": "ipo"}},
    "merge_sweep": {
        "merge": {
            "methods": {
                "dare_ties-0.5": {"method": "dare_ties", "density": 0.5, "weight": 0.25},
                "dare_ties-1": {"method": "dare_ties", "density": 1.0, "weight": 0.25},
                "dare_linear": {"method": "dare_linear", "density": 0.5},
                "task_arithmetic": {"method": "task_arithmetic", "weight": 1.0, "normalize": False},
                "slerp": {"method": "slerp", "share": 0.5},
                "sce": {"method": "sce", "density": 0.75},
            }
        }
    },
}
"""The ablations of the paper and of its released code, as rows of the configuration."""


class Recut(Section):
    """ReCUT: stepwise exploration, two preference sets, two specialists, one merge."""

    explore: Explore = Explore()
    pairs: Pairs = Pairs()
    specialists: Literal["twin", "union", "sequential", "sft"] = Field(
        "twin", description="what is trained on the pairs; `twin` is the paper's"
    )
    train: Train = Train()
    merge: Merge = Merge()
    run: list[str] = Field(["main"], min_length=1, description="variants to run; `main` is this section itself")
    variants: dict[str, dict[str, Any]] = Field(
        VARIANTS, description="ablations: a name and the settings of this section that differ"
    )

    def variant(self, name: str) -> Recut:
        """The settings of one variant; `main` is the section itself."""
        own = self.model_dump(exclude={"variants", "run"})
        overlay = {} if name == "main" else self.variants[name]
        return Recut.model_validate(plain(deep_merge(own, overlay)))


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


class Prices(Section):
    """What an endpoint charges for a million tokens."""

    prompt: float = Field(ge=0.0)
    cached: float | None = Field(None, ge=0.0, description="prompt tokens that its cache held; default: as others")
    completion: float = Field(ge=0.0)
    currency: str = "USD"


_OF_ANSWERS = {"url", "model", "continues_prefill", "takes_top_k", "takes_seed", "length_field", "extra"}


class Endpoint(Section):
    """An OpenAI-compatible server that plays the base model; see docs/endpoints.md."""

    url: str = Field(description="its base address, for example https://api.openai.com/v1")
    model: str = Field(description="the model's name there; it must be the model of `model.source`")
    continues_prefill: bool = Field(
        False, description="the server goes on from a begun answer (vLLM: `continue_final_message`)"
    )
    takes_top_k: bool = Field(False, description="the server takes `top_k` (vLLM, SGLang, llama.cpp)")
    takes_seed: bool = Field(True, description="the server takes a seed of 63 bits")
    length_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="what the server calls the longest completion"
    )
    extra: dict[str, Any] = Field({}, description="further fields of every request, for example chat_template_kwargs")
    key_variable: str | None = Field(None, description="the environment variable that holds the key; default: no key")
    requests_per_minute: Positive | None = Field(None, description="default: no limit")
    tokens_per_minute: Positive | None = Field(None, description="prompts and longest completions; default: no limit")
    timeout_s: Positive = Field(300.0, description="longest silence of the server before it is asked again")
    deadline_s: Positive = Field(1800.0, description="longest time for one request with all its attempts")
    attempts: Count = Field(8, description="most attempts at one request")
    first_pause_s: Positive = Field(1.0, description="pause before the second attempt; it doubles from then on")
    prices: Prices | None = Field(None, description="default: money is not counted")
    responses: str = Field(
        "results/.work/responses", description="folder of the answers received; `make clean` removes the default one"
    )

    def server(self) -> dict[str, Any]:
        """What the answers depend on."""
        return self.model_dump(include=_OF_ANSWERS)

    def limits(self) -> dict[str, Any]:
        """How fast, how patiently and at what price it is asked: no answer depends on it."""
        return self.model_dump(exclude=_OF_ANSWERS)


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

    experiment: str = Field("embedded", pattern=r"^[A-Za-z0-9][\w.-]*$", description="its folder under results/")
    seed: int = Field(42, description="splits, draws of problems, the base model, evaluation")
    seeds: list[int] = Field([1], min_length=1, description="one repetition of exploration and training each")
    model: Model = Model()
    embedded: Embedded = Embedded()
    compute: Compute = Compute()
    generation: Generation = Generation()
    problems: Problems = Problems()
    recut: Recut = Recut()
    evaluation: Evaluation = Evaluation()


def deep_merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the entries of `above` laid over it, mapping by mapping."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def plain(value: Any) -> Any:
    """A configuration as pydantic's strict mode expects it.

    YAML has no tuples. An entry that an overlay sets to null is left out: it takes its default, or, in a mapping of
    names such as `merge.methods`, is removed.
    """
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if v is not None}
        return {k: tuple(v) if k == "operations" and isinstance(v, list) else plain(v) for k, v in kept.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def sections_in(annotation: Any) -> list[type[Section]]:
    """The sections that a setting's type holds, for example in a mapping of names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for arg in getattr(annotation, "__args__", ()) for found in sections_in(arg)]
