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
        world=WIRING.world(),
        seed=SETTINGS.seed,
    message:
        "make {wildcards.pool} problems of the embedded language"
    shell:
        command("embedded_problems", "", "n world seed", "pool", "problems")


if SETTINGS.is_embedded:

    rule embedded_base:
        """Pretrain the base model on the lessons that the methods need."""
        input:
            prompts=list(WIRING.lesson_prompts().values()),
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
            *code_of("embedded_base", *WIRING.lesson_modules()),
            modules=WIRING.lesson_modules(),
            lessons=[f"{name}={path}" for name, path in WIRING.lesson_prompts().items()],
            course=WIRING.course(),
            world=WIRING.world(),
            context=SETTINGS.base.context,
            seed=SETTINGS.seed,
            threads=SETTINGS.embedded.threads,
        message:
            "pretrain the embedded base model"
        shell:
            # its threads have the cores to themselves: waiting awake is a quarter faster
            command(
                "embedded_base",
                "",
                "modules lessons course world context seed threads",
                outputs="model metrics",
                launcher="OMP_WAIT_POLICY=ACTIVE python",
            )


rule import_model:
    """Take a model from a folder or a hub, checked and with a manifest."""
    input:
        folder=lambda w: WIRING.folder_of(w.entry),
    output:
        model="<results>/models/{entry}/manifest.json",
    log:
        "<logs>/import_model/{entry}.log",
    benchmark:
        "<benchmarks>/import_model/{entry}.jsonl"
    wildcard_constraints:
        entry=WIRING.imported(),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        *code_of("import_model"),
        source=lambda w: SETTINGS.models[w.entry].source,
        revision=lambda w: SETTINGS.models[w.entry].revision or "",
    message:
        "take the model {wildcards.entry} from {params.source}"
    shell:
        command("import_model", "", "source revision", outputs="model", launcher="HF_HUB_OFFLINE=0 python")
