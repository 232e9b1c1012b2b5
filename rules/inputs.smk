# The functions that rules ask for their inputs and settings, file by file.


# rules/embedded.smk


LESSON_PROMPTS = {
    "recut": ["neutral", "long", "short"],
    "gsi": ["plain", "answer", "rationale", "feedback", "revise"],
    "gsi-pot": ["plain"],
}


def world_settings():
    """What the problems of the embedded language are like."""
    return SETTINGS.embedded.model_dump(include={"operations", "largest", "levels", "level_weights", "rare"})


def lesson_prompts(separator):
    """The prompt templates of every lesson, as `lesson/role` and path."""
    return [
        f"{lesson}/{role}{separator}config/prompts/{lesson}/{role}.jinja"
        for lesson in SETTINGS.embedded.lessons
        for role in LESSON_PROMPTS[lesson]
    ]


# rules/problems.smk


def source_of(path):
    """The file behind a source: made by the embedded world, given by the user, or none for a hub id."""
    if path.startswith("embedded:"):
        return f"<results>/embedded/{path.removeprefix('embedded:')}.jsonl"
    return path if Path(path).exists() else []


def source_settings(source, name):
    """What reading and drawing problems depends on: the settings, the name of the data set, and its file if there is one."""
    file = source_of(source.path) or ""
    settings = source.model_dump(exclude={"samples", "name"})
    return {
        **settings,
        "dataset": source.name or name,
        "file": file.replace("<results>", f"results/{SETTINGS.experiment}"),
    }


# rules/recut.smk


def training_sets(wildcards):
    """The files of a variant's training sets, by the stage they are rejected from."""
    stages = {
        "twin": {"length": "pairs.length", "accuracy": "pairs.accuracy"},
        "union": {"length": "pairs.length", "accuracy": "pairs.accuracy"},
        "sequential": {"length": "pairs.length", "accuracy": "pairs.accuracy"},
        "sft": {
            "sft": (
                "sft.rejection_sampling" if recut(wildcards.variant).explore.strategy == "whole" else "sft.shortest"
            )
        },
    }[recut(wildcards.variant).specialists]
    homes = {item: home(wildcards.variant, "pairs", item) for item in stages}
    parts = ("train.jsonl", "dev.jsonl", "rejects.parquet")
    recuts = f"results/{SETTINGS.experiment}/recut"
    return {
        stage: {part: f"{recuts}/{homes[item]}/s{wildcards.seed}/pairs/{item}.{part}" for part in parts}
        for item, stage in stages.items()
    }


# rules/train.smk


def iteration(wildcards):
    """The iteration of a model of GSI, by its name; None for a specialist of ReCUT."""
    return int(wildcards.specialist[1:]) if wildcards.get("method") == "gsi" else None


def start_of(wildcards):
    """The model that training starts from: the base, or the specialist or iteration before."""
    t = iteration(wildcards)
    if t is not None and continues(gsi(wildcards.variant), t):
        before = gsi_home(wildcards.variant, "train", t - 1)
        return f"<results>/models/gsi/{before}/s{wildcards.seed}/t{t - 1}/manifest.json"
    if wildcards.specialist == "sequential":
        length = home(wildcards.variant, "train", "length")
        return f"<results>/models/recut/{length}/s{wildcards.seed}/length/manifest.json"
    return "<results>/models/base/manifest.json"


def training_set(wildcards, part):
    """The rows that a model is trained on, or its dev rows."""
    t = iteration(wildcards)
    if t is not None:
        owner_of_set = gsi_home(wildcards.variant, "set", t if part == "train" else 0)
        return f"<results>/gsi/{owner_of_set}/s{wildcards.seed}/sft/{t if part == 'train' else 0}.{part}.jsonl"
    item = SETS[wildcards.specialist]
    folder = f"<results>/recut/{home(wildcards.variant, 'pairs', item)}/s{wildcards.seed}/pairs"
    return f"{folder}/{item}.{part}.jsonl"


def learning_rates(wildcards):
    """The learning rates to try, as they stand in paths."""
    if wildcards.method == "gsi":
        return [f"{gsi(wildcards.variant).train.learning_rate:g}"]
    rates = train_settings(recut(wildcards.variant), SETS[wildcards.specialist])["learning_rates"]
    return [f"{rate:g}" for rate in rates]


def reference(wildcards):
    """The reference log-probabilities of a specialist's training rows; SFT needs none."""
    if wildcards.method == "gsi" or SETS[wildcards.specialist] == "sft":
        return []
    variant = home(wildcards.variant, "reference", wildcards.specialist)
    return f"<results>/recut/{variant}/s{wildcards.seed}/reference/{wildcards.specialist}.parquet"


def training_recipe(wildcards):
    """All settings of one training run but its learning rate and seed."""
    if wildcards.method == "gsi":
        settings = gsi(wildcards.variant).train.model_dump(exclude={"learning_rate", "start"})
        return as_recipe({**settings, "checkpoints": 1}, "sft")
    settings = train_settings(recut(wildcards.variant), SETS[wildcards.specialist])
    for other in ("learning_rates", "select"):
        del settings[other]
    return as_recipe(settings, wildcards.specialist)


def as_recipe(settings, specialist):
    """Settings as `stages/training/recipe.py` names them."""
    lora = settings.pop("lora") or {"r": 0}
    return as_json(
        {
            **settings,
            **{f"lora_{'rank' if key == 'r' else key}": value for key, value in lora.items()},
            "objective": "sft" if SETS[specialist] == "sft" else "dpo",
            "precision": SETTINGS.model.dtype,
            "trust_remote_code": SETTINGS.model.trust_remote_code,
        }
    )


def deepspeed(wildcards):
    """DeepSpeed's configuration, if a specialist is trained under ZeRO."""
    zero = (gsi if wildcards.get("method") == "gsi" else recut)(wildcards.variant).train.zero
    return f"config/deepspeed/zero{zero}.json" if zero else []


def criterion(wildcards):
    """What the dev split chooses a checkpoint by; GSI takes what training ends with."""
    if wildcards.method == "gsi":
        return "last"
    if recut(wildcards.variant).train.select == "last":
        return "last"
    return "accuracy" if SETS[wildcards.specialist] == "accuracy" else "length"


def choosing_criterion(wildcards):
    """What the dev split chooses a learning rate by; GSI has one."""
    if wildcards.method == "gsi":
        return "last"
    return "accuracy" if SETS[wildcards.specialist] == "accuracy" else "length"


# rules/merge.smk


def twin(wildcards, specialist):
    """A specialist's manifest."""
    variant = home(wildcards.variant, "train", specialist)
    return f"<results>/models/recut/{variant}/s{wildcards.seed}/{specialist}/manifest.json"


# rules/evaluate.smk


def problems_of(wildcards):
    """The problems of an evaluation set; `dev` is a part of the training problems."""
    name = "train" if wildcards.set == "dev" else wildcards.set
    return f"<results>/problems/{name}.parquet"


def programs(wildcards):
    """How answers that are programs are run, as an option of the grading program."""
    sample = SETTINGS.gsi.sample
    return f"--min-level {sample.min_level}" if SETTINGS.method == "gsi" and sample.mode == "pot" else ""


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


# rules/recut_report.smk


VARIANT, SEED = plan.recut.variants(SETTINGS)[0], SETTINGS.seeds[0]


FIRST_SET = next(iter(SETTINGS.evaluation.sets))


def of_first(stage, path, item=""):
    """A file of the first variant and seed, or of the variant that owns that stage."""
    return f"<results>/recut/{home(VARIANT, stage, item)}/s{SEED}/{path}"


def training_runs():
    """The runs of the first variant and seed, as (specialist, learning rate)."""
    recut_settings = recut(VARIANT)
    return [
        (specialist, f"{rate:g}")
        for specialist in trained(SETTINGS, VARIANT)
        for rate in train_settings(recut_settings, SETS[specialist])["learning_rates"]
    ]


def named(variant, stage, item):
    """What a model of a variant is called in the tables."""
    return system_of(f"recut/{home(variant, stage, item)}/s0/{item}", "neutral")["system"]


def last_systems(variant):
    """The system that a variant ends with, by the merge that the dev split chooses; under '' if nothing is merged."""
    merges = merged(SETTINGS, variant)
    if merges:
        return {merge: named(variant, "merge", merge) for merge in merges}
    return {"": named(variant, "train", trained(SETTINGS, variant)[-1])}


def dev_systems():
    """What answered the dev problems, by model: the base, and the merges of the first variant and seed."""
    merges = [(home(VARIANT, "merge", merge), merge) for merge in merged(SETTINGS, VARIANT)]
    return ["base", *(f"recut/{variant}/s{SEED}/{merge}" for variant, merge in merges)]


def report_spec():
    """What the report is of, and what its input files are, in their order (in lists: `as_json` sorts mappings)."""
    settings = recut(VARIANT)
    shown = {"model": SETTINGS.model, "explore": settings.explore, "pairs": settings.pairs, "train": settings.train}
    called = {s: named(VARIANT, "train", s) for s in trained(SETTINGS, VARIANT)}
    return {
        "experiment": SETTINGS.experiment,
        "subtitle": f"variant {VARIANT}; seeds {', '.join(map(str, SETTINGS.seeds))}",
        "settings": {
            f"{name}.{key}": str(value) for name, part in shown.items() for key, value in part.model_dump().items()
        },
        "variants": [
            {"name": name, "overlay": SETTINGS.recut.variants.get(name, {}), "ends_with": last_systems(name)}
            for name in variants(SETTINGS)
        ],
        "systems": [system_of(model, prompt) for model, prompt in systems(FIRST_SET)],
        "dev_systems": [system_of(model, "neutral")["system"] for model in dev_systems()],
        "specialists": list(called.values()),
        "runs": [{"specialist": called[s], "learning_rate": float(rate), "seed": SEED} for s, rate in training_runs()],
        "merges": [
            {"name": merge, "settings": settings.merge.methods[merge].model_dump()}
            for merge in merged(SETTINGS, VARIANT)
        ],
    }


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
    ends = [system_of(f"gsi/{gsi_home(v, 'train', t)}/s0/t{t}", "plain")["system"] for v, t in last.items()]
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
        "final": list(dict.fromkeys(["base", "iteration 0", *ends])),
        "guided": [v for v in variants(SETTINGS) if gsi(v).guidance.strategy not in {"none", "plain"}],
        "settings": {
            f"{name}.{key}": str(value) for name, part in shown.items() for key, value in part.model_dump().items()
        },
    }
