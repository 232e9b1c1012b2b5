# The functions that rules ask for the inputs and settings of GSI, file by file.
from bestpath.plan.gsi import continues, is_guided, owner, select_settings


@cache
def gsi(variant):
    """The GSI settings of a variant."""
    return SETTINGS.gsi.variant(variant)


@cache
def gsi_home(variant, stage, t):
    """The GSI variant that owns a stage of iteration t of `variant`: itself, or an earlier one."""
    return owner(SETTINGS, variant, stage, t)


# rules/gsi.smk


def help_prompts(wildcards):
    """The prompts that a strategy needs, as `role=path`."""
    guidance = gsi(wildcards.variant).guidance
    answer = "answer" if guidance.answer_style == "labelled" else "answer_bare"
    files = {
        "answer": {"answer": answer},
        "rationale": {"rationale": "rationale"},
        "interactive": {"feedback": "feedback", "revise": "revise"},
        "state_reset": {"rationale": "rationale"} if guidance.without_reference == "rationale" else {},
        "mixed": {"rationale": "rationale"},
    }.get(guidance.strategy, {})
    folder = plan.prompt_folder(SETTINGS)
    return {role: f"{folder}/{name}.jinja" for role, name in {"plain": "plain", **files}.items()}


def model_of(wildcards):
    """The model of iteration t."""
    variant = gsi_home(wildcards.variant, "train", int(wildcards.t))
    return f"<results>/models/gsi/{variant}/s{wildcards.seed}/t{wildcards.t}/manifest.json"


def graded_of(wildcards, phase, t):
    """The graded draws of one phase of iteration t; none of a guided phase that there is not."""
    if phase == "guided" and not is_guided(gsi(wildcards.variant)):
        return []
    home_of = gsi_home(wildcards.variant, phase, t)
    folder = f"<results>/gsi/{home_of}/s{wildcards.seed}/graded/{t}/{phase}"
    return [f"{folder}/{shard}.parquet" for shard in shards()]


def set_of(wildcards, t):
    """The training set of iteration t."""
    return f"<results>/gsi/{gsi_home(wildcards.variant, 'set', t)}/s{wildcards.seed}/sft/{t}.train.jsonl"


def further_sets(wildcards):
    """The sets that are mixed into the set of iteration t."""
    select, before = gsi(wildcards.variant).select, int(wildcards.t) - 1
    mixed = [t for t, wanted in ((0, select.add_references), (before, select.add_previous)) if wanted]
    return [set_of(wildcards, t) for t in sorted(set(mixed))]


def paid_by(wildcards):
    """The guided draws whose tokens are another variant's budget."""
    other = gsi(wildcards.variant).select.tokens_of
    if other is None:
        return []
    t = int(wildcards.t) - 1
    folder = f"<results>/gsi/{gsi_home(other, 'guided', t)}/s{wildcards.seed}/graded/{t}/guided"
    return [f"{folder}/{shard}.parquet" for shard in shards()]


def guided_rules(wildcards):
    """The settings of a guided phase, both phases' sampling included."""
    settings = gsi(wildcards.variant)
    return {**settings.sample.model_dump(), **settings.guidance.model_dump()}


def gsi_select_rules(wildcards):
    """The settings of a training set; the budget of tokens is an input."""
    settings = select_settings(gsi(wildcards.variant))
    for other in ("tokens_of", "add_references", "add_previous"):
        del settings[other]
    return settings


def trained_engine(wildcards):
    """The engine for a model that the workflow has trained: an endpoint does not have it."""
    return engine_settings({"model": "gsi"})


def teacher_engine(wildcards):
    """The engine of the teacher: an endpoint, or the one that plays the base; empty where nobody teaches."""
    guidance = gsi(wildcards.variant).guidance
    if guidance.strategy != "interactive":
        return ""
    if guidance.teacher.endpoint is not None:
        return as_json({"engine": "endpoint", **guidance.teacher.endpoint.server()})
    return trained_engine(wildcards)


def teacher_limits(wildcards, resources):
    """How an endpoint that teaches is asked; nothing is made anew for it (see `engine_limits`)."""
    if not asks_teacher(wildcards):
        return "{}"
    endpoint = gsi(wildcards.variant).guidance.teacher.endpoint
    return as_json({"slots": SETTINGS.generation.slots, **endpoint.limits()})


def asks_teacher(wildcards):
    """1 if a job asks an endpoint for feedback, else 0."""
    guidance = gsi(wildcards.variant).guidance
    return int(guidance.strategy == "interactive" and guidance.teacher.endpoint is not None)


# rules/train.smk


TRAINED = r"t\d+"


def iteration(wildcards):
    """The iteration of a model, by its name."""
    return int(wildcards.specialist[1:])


def start_of(wildcards):
    """The model that training starts from: the base, or the model of the iteration before."""
    t = iteration(wildcards)
    if not continues(gsi(wildcards.variant), t):
        return "<results>/models/base/manifest.json"
    before = gsi_home(wildcards.variant, "train", t - 1)
    return f"<results>/models/gsi/{before}/s{wildcards.seed}/t{t - 1}/manifest.json"


def training_set(wildcards, part):
    """The rows that a model is trained on; the dev rows are references whatever the iteration."""
    t = iteration(wildcards)
    if part == "train":
        return set_of(wildcards, t)
    return f"<results>/gsi/{gsi_home(wildcards.variant, 'set', 0)}/s{wildcards.seed}/sft/0.dev.jsonl"


def learning_rates(wildcards):
    """The one learning rate, as it stands in paths."""
    return [f"{gsi(wildcards.variant).train.learning_rate:g}"]


def reference(wildcards):
    """The reference log-probabilities of the training rows: SFT needs none."""
    return []


def training_recipe(wildcards):
    """All settings of one training run but its learning rate and seed."""
    settings = gsi(wildcards.variant).train.model_dump(exclude={"learning_rate", "start"})
    return as_recipe({**settings, "checkpoints": 1}, "sft")


def deepspeed(wildcards):
    """DeepSpeed's configuration, if a model is trained under ZeRO."""
    zero = gsi(wildcards.variant).train.zero
    return f"config/deepspeed/zero{zero}.json" if zero else []


def criterion(wildcards):
    """What is taken: the model that training ends with."""
    return "last"


choosing_criterion = criterion


# rules/gsi_report.smk


def readings():
    """All that is read of a run of GSI: variants, iterations and seeds."""
    return [
        {"variant": variant, "t": t, "seed": seed}
        for variant in variants(SETTINGS)
        for t in range(gsi(variant).iterations)
        for seed in SETTINGS.seeds
    ]


def tail_of(variant, t, seed):
    """The numbers about one training set."""
    return f"<results>/gsi/{gsi_home(variant, 'set', t)}/s{seed}/tail/{t}.parquet"


def first_sets():
    """The first sets that are sampled: variant, the variant that owns it, seed."""
    return [
        (variant, gsi_home(variant, "set", 1), seed)
        for variant in variants(SETTINGS)
        if gsi(variant).iterations > 1
        for seed in SETTINGS.seeds
    ]


def gsi_report_spec():
    """What the report is of, and what its input files are, in their order."""
    settings = SETTINGS.gsi
    last = {variant: gsi(variant).iterations - 1 for variant in variants(SETTINGS)}
    ends = {v: system_of(f"gsi/{gsi_home(v, 'train', t)}/s0/t{t}", "plain")["system"] for v, t in last.items()}
    published = [v for v in ends if gsi(v).guidance.strategy == "state_reset"]  # the one that the paper recommends
    shown = {"model": SETTINGS.model, "sample": settings.sample, "select": settings.select, "train": settings.train}
    return {
        "experiment": SETTINGS.experiment,
        "seeds": SETTINGS.seeds,
        "models": list(models(SETTINGS)),
        "readings": [
            {
                **reading,
                "model": f"gsi/{gsi_home(reading['variant'], 'train', reading['t'])}/s{reading['seed']}/t{reading['t']}",
            }
            for reading in readings()
        ],
        "sampled": [variant for variant, _, _ in first_sets()],
        "final": list(dict.fromkeys(["base", "iteration 0", *ends.values()])),
        "main": ends[[*published, *ends][0]],
        "guided": [v for v in variants(SETTINGS) if gsi(v).guidance.strategy not in {"none", "plain"}],
        "settings": {
            f"{name}.{key}": str(value) for name, part in shown.items() for key, value in part.model_dump().items()
        },
    }
