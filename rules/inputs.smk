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


# rules/train.smk, for all methods


def as_recipe(settings, objective):
    """Settings as `stages/training/recipe.py` names them; `objective` is dpo or sft."""
    lora = settings.pop("lora") or {"r": 0}
    return as_json(
        {
            **settings,
            **{f"lora_{'rank' if key == 'r' else key}": value for key, value in lora.items()},
            "objective": objective,
            "precision": SETTINGS.model.dtype,
            "trust_remote_code": SETTINGS.model.trust_remote_code,
        }
    )


# rules/evaluate.smk


def problems_of(wildcards):
    """The problems of an evaluation set; `dev` is a part of the training problems."""
    name = "train" if wildcards.set == "dev" else wildcards.set
    return f"<results>/problems/{name}.parquet"


def programs(wildcards):
    """How answers that are programs are run, as an option of the grading program."""
    sample = SETTINGS.gsi.sample
    return f"--min-level {sample.min_level}" if SETTINGS.method == "gsi" and sample.mode == "pot" else ""


# reports

SEED, FIRST_SET = SETTINGS.seeds[0], next(iter(SETTINGS.evaluation.sets))
