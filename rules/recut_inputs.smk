# The functions that rules ask for the inputs and settings of ReCUT, file by file.
from bestpath.plan.recut import SETS, merged, owner, pair_rules, reference_settings, train_settings, trained


@cache
def recut(variant):
    """The ReCUT settings of a variant."""
    return SETTINGS.recut.variant(variant)


@cache
def home(variant, stage, item=""):
    """The ReCUT variant that owns a stage of `variant`: itself, or an earlier one with the same settings."""
    return owner(SETTINGS, variant, stage, item)


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


TRAINED = "|".join(SETS)


def start_of(wildcards):
    """The model that training starts from: the base, or the specialist before it."""
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


def objective(wildcards):
    """What a specialist is trained by."""
    return "sft" if SETS[wildcards.specialist] == "sft" else "dpo"


def training_recipe(wildcards):
    """All settings of one training run but its learning rate and seed."""
    settings = train_settings(recut(wildcards.variant), SETS[wildcards.specialist])
    for other in ("learning_rates", "select"):
        del settings[other]
    return as_recipe(settings, objective(wildcards))


def deepspeed(wildcards):
    """DeepSpeed's configuration, if a specialist is trained under ZeRO."""
    zero = recut(wildcards.variant).train.zero
    return f"config/deepspeed/zero{zero}.json" if zero else []


def choosing_criterion(wildcards):
    """What the dev split chooses a learning rate by."""
    return "accuracy" if SETS[wildcards.specialist] == "accuracy" else "length"


def criterion(wildcards):
    """What the dev split chooses a checkpoint by."""
    return "last" if recut(wildcards.variant).train.select == "last" else choosing_criterion(wildcards)


# rules/merge.smk


def twin(wildcards, specialist):
    """A specialist's manifest."""
    variant = home(wildcards.variant, "train", specialist)
    return f"<results>/models/recut/{variant}/s{wildcards.seed}/{specialist}/manifest.json"


# rules/recut_report.smk


VARIANT = variants(SETTINGS)[0]


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
