# The functions that rules ask for their inputs and settings, file by file.


# rules/embedded.smk


LESSON_PROMPTS = {"recut": ["neutral", "long", "short"]}


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


def source_settings(source):
    """What reading and drawing problems depends on."""
    return as_json(source.model_dump(exclude={"samples"}))


# rules/recut.smk


PROMPTS = "config/prompts/recut"


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


def start_of(wildcards):
    """The model that a specialist is trained from: the base, or the specialist before it."""
    if wildcards.specialist == "sequential":
        length = home(wildcards.variant, "train", "length")
        return f"<results>/models/recut/{length}/s{wildcards.seed}/length/manifest.json"
    return "<results>/models/base/manifest.json"


def training_set(wildcards, part):
    """The rows that a specialist is trained on, or its dev rows."""
    item = SETS[wildcards.specialist]
    folder = f"<results>/recut/{home(wildcards.variant, 'pairs', item)}/s{wildcards.seed}/pairs"
    return f"{folder}/{item}.{part}.jsonl"


def learning_rates(wildcards):
    """The learning rates to try, as they stand in paths."""
    rates = train_settings(recut(wildcards.variant), SETS[wildcards.specialist])["learning_rates"]
    return [f"{rate:g}" for rate in rates]


def reference(wildcards):
    """The reference log-probabilities of a specialist's training rows; SFT needs none."""
    if SETS[wildcards.specialist] == "sft":
        return []
    variant = home(wildcards.variant, "reference", wildcards.specialist)
    return f"<results>/recut/{variant}/s{wildcards.seed}/reference/{wildcards.specialist}.parquet"


def training_recipe(wildcards):
    """All settings of one training run but its learning rate and seed."""
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
    zero = recut(wildcards.variant).train.zero
    return f"config/deepspeed/zero{zero}.json" if zero else []


def criterion(wildcards):
    """What the dev split chooses a checkpoint by."""
    if recut(wildcards.variant).train.select == "last":
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


# rules/report.smk


VARIANT, SEED = variants(SETTINGS)[0], SETTINGS.seeds[0]


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
