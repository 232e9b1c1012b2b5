# The base model: pretrained by the workflow on the embedded world, or taken from a folder or a hub.
rule embedded_problems:
    """Make problems of the embedded language; training and test problems have no text in common."""
    output:
        problems="<results>/embedded/{pool}.jsonl",
    log:
        "<logs>/embedded_problems/{pool}.log",
    benchmark:
        "<benchmarks>/embedded_problems/{pool}.jsonl"
    wildcard_constraints:
        pool="train|test",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        *code_of("embedded_problems"),
        n=lambda w: (SETTINGS.embedded.pool if w.pool == "train" else SETTINGS.embedded.test),
        world=as_json(world_settings()),
        seed=SETTINGS.seed,
    message:
        "make {wildcards.pool} problems of the embedded language"
    shell:
        "python scripts/embedded_problems.py --pool {wildcards.pool} --n {params.n} --world {params.world:q}"
        " --seed {params.seed} --problems {output.problems} 2> {log}"


if SETTINGS.model.source == "embedded":

    rule embedded_base:
        """Pretrain the base model on the lessons that the methods need."""
        input:
            prompts=[entry.split("=")[1] for entry in lesson_prompts("=")],
        output:
            model="<results>/models/base/manifest.json",
            metrics="<results>/embedded/pretraining.parquet",
        log:
            "<logs>/embedded_base/base.log",
        benchmark:
            "<benchmarks>/embedded_base/base.jsonl"
        conda:
            "../envs/training.yaml"
        threads: SETTINGS.embedded.threads
        resources:
            mem_mb=3000,
            runtime=60,
        params:
            *code_of("embedded_base"),
            lessons=lesson_prompts("="),
            course=as_json(SETTINGS.embedded.model_dump(include={"depth", "steps", "batch", "learning_rate"})),
            world=as_json(world_settings()),
            context=SETTINGS.model.context,
            seed=SETTINGS.seed,
        message:
            "pretrain the embedded base model"
        shell:
            # its threads have the cores to themselves: waiting awake is a quarter faster
            "OMP_WAIT_POLICY=ACTIVE python scripts/embedded_base.py --lessons {params.lessons}"
            " --course {params.course:q} --world {params.world:q} --context {params.context}"
            " --seed {params.seed} --threads {threads} --model {output.model} --metrics {output.metrics} 2> {log}"

else:

    rule import_base:
        """Take the base model from a folder or a hub, checked and with a manifest."""
        input:
            folder=SETTINGS.model.source if Path(SETTINGS.model.source).is_dir() else [],
        output:
            model="<results>/models/base/manifest.json",
        log:
            "<logs>/import_base/base.log",
        benchmark:
            "<benchmarks>/import_base/base.jsonl"
        conda:
            "../envs/tables.yaml"
        resources:
            mem_mb=2000,
            runtime=120,
        params:
            *code_of("import_base"),
            source=SETTINGS.model.source,
            revision=SETTINGS.model.revision or "",
        message:
            "take the base model from {params.source}"
        shell:
            "HF_HUB_OFFLINE=0 python scripts/import_base.py --source {params.source} --revision '{params.revision}'"
            " --model {output.model} 2> {log}"
