# Training and merging: one rule for every model of every method; the dev split chooses among learning rates.


rule train_reference:
    """Compute the log-probabilities of a training set under the model that training starts from, for trainings on it."""
    input:
        unpack(WIRING.train_needs("reference")),
        deepspeed=WIRING.deepspeed,
    output:
        reference="<results>/{method}/{variant}/s{seed}/reference/{specialist}.parquet",
    log:
        "<logs>/train_reference/{method}.{variant}.s{seed}.{specialist}.log",
    benchmark:
        "<benchmarks>/train_reference/{method}.{variant}.s{seed}.{specialist}.jsonl"
    conda:
        "../envs/training.yaml"
    threads: SETTINGS.compute.threads * SETTINGS.compute.processes
    resources:
        **WIRING.training_devices(minutes=240),
    params:
        *code_of("train_reference"),
        recipe=WIRING.recipe("reference"),
        launcher=WIRING.launcher,
    message:
        "reference log-probabilities for {wildcards.specialist}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("train_reference", "start train dev", "recipe", outputs="reference", launcher=TRAINER)


rule train_specialist:
    """Train one model at one learning rate; keep the checkpoint that the dev split chooses."""
    input:
        unpack(WIRING.train_needs("train")),
        problems=lambda w: WIRING.problems(w.method),
        prompt=WIRING.plain_prompt,
        reference=WIRING.reference,
        deepspeed=WIRING.deepspeed,
    output:
        model="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/model/manifest.json",
        metrics="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/metrics.jsonl",
        rejects="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/rejects.parquet",
        lineage="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/lineage.json",
    log:
        "<logs>/train_specialist/{method}.{variant}.s{seed}.{specialist}.{lr}.log",
    benchmark:
        "<benchmarks>/train_specialist/{method}.{variant}.s{seed}.{specialist}.{lr}.jsonl"
    conda:
        "../envs/training.yaml"
    threads: SETTINGS.compute.threads * SETTINGS.compute.processes
    resources:
        **WIRING.training_devices(minutes=480),
    params:
        *code_of("train_specialist", *modules_of({"actor": WIRING.engine("base", trainer=True)})),
        recipe=WIRING.recipe("train"),
        engines=as_argument({"actor": WIRING.engine("base", trainer=True)}),
        launcher=WIRING.launcher,
        criterion=WIRING.criterion,
        max_tokens=SETTINGS.evaluation.max_tokens,
        readout=lambda w: "no" if WIRING.training(w).criterion == "last" else "yes",
        base_lineage=WIRING.lineage(),
        label=lambda w: f"{w.variant}/s{w.seed}/{w.specialist}/{w.lr}",
    message:
        "train {wildcards.specialist} at {wildcards.lr}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "train_specialist",
            "start train dev problems prompt reference",
            "recipe engines criterion max_tokens readout base_lineage label",
            "lr seed",
            "model metrics rejects lineage",
            launcher=TRAINER,
        )


rule choose_specialist:
    """Keep the learning rate that the dev split chooses."""
    input:
        models=WIRING.tried("model/manifest.json"),
        metrics=WIRING.tried("metrics.jsonl"),
        lineages=WIRING.tried("lineage.json"),
    output:
        model="<results>/models/{method}/{variant}/s{seed}/{specialist}/manifest.json",
        lineage="<results>/models/{method}/{variant}/s{seed}/{specialist}/lineage.json",
        choice="<results>/{method}/{variant}/s{seed}/train/{specialist}/choice.json",
    log:
        "<logs>/choose_specialist/{method}.{variant}.s{seed}.{specialist}.log",
    benchmark:
        "<benchmarks>/choose_specialist/{method}.{variant}.s{seed}.{specialist}.jsonl"
    wildcard_constraints:
        specialist=WIRING.items("train"),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("choose_specialist"),
        learning_rates=WIRING.rates,
        criterion=lambda w: WIRING.training(w).criterion,
    message:
        "choose the learning rate of {wildcards.specialist}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "choose_specialist",
            "models metrics lineages",
            "learning_rates criterion",
            outputs="model lineage choice",
        )


rule merge_models:
    """Merge models of a method into one."""
    input:
        base=BASE_MODEL,
        parents=lambda w: list(WIRING.parents(w).values()),
    output:
        model="<results>/models/{method}/{variant}/s{seed}/{merge}/manifest.json",
        lineage="<results>/models/{method}/{variant}/s{seed}/{merge}/lineage.json",
        report="<results>/{method}/{variant}/s{seed}/merge/{merge}.parquet",
    log:
        "<logs>/merge_models/{method}.{variant}.s{seed}.{merge}.log",
    benchmark:
        "<benchmarks>/merge_models/{method}.{variant}.s{seed}.{merge}.jsonl"
    wildcard_constraints:
        merge=WIRING.items("merge"),
    conda:
        "../envs/merging.yaml"
    resources:
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(120),
    params:
        *code_of("merge_models"),
        names=lambda w: list(WIRING.parents(w)),
        method=WIRING.merge_settings("method"),
        dtype=WIRING.merge_settings("dtype"),
        seed=SETTINGS.seed,
    message:
        "merge by {wildcards.merge}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("merge_models", "base parents", "names method dtype seed", outputs="model lineage report")
