# Training: one rule for every specialist, whatever its objective; the dev split chooses among learning rates.


rule train_specialist:
    """Train one specialist at one learning rate; keep the checkpoint that the dev split chooses."""
    input:
        start=start_of,
        train=lambda w: training_set(w, "train"),
        dev=lambda w: training_set(w, "dev"),
        problems="<results>/problems/train.parquet",
        prompt=f"<prompts>/{PLAIN_PROMPT[SETTINGS.method]}.jinja",
        reference=reference,
        deepspeed=deepspeed,
    output:
        model="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/model/manifest.json",
        metrics="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/metrics.jsonl",
        rejects="<results>/{method}/{variant}/s{seed}/train/{specialist}/{lr}/rejects.parquet",
    log:
        "<logs>/train_specialist/{method}.{variant}.s{seed}.{specialist}.{lr}.log",
    benchmark:
        "<benchmarks>/train_specialist/{method}.{variant}.s{seed}.{specialist}.{lr}.jsonl"
    conda:
        "../envs/training.yaml"
    threads: SETTINGS.compute.threads * SETTINGS.compute.processes
    resources:
        **training_devices(),
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(480),
    params:
        *code_of("train_specialist"),
        recipe=training_recipe,
        engine=engine_settings(),
        launcher=launcher,
        criterion=criterion,
        max_tokens=SETTINGS.evaluation.max_tokens,
        readout=lambda w: "--no-readout" if choosing_criterion(w) == "last" else "",
    message:
        "train {wildcards.specialist} at {wildcards.lr}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.launcher} scripts/train_specialist.py --start {input.start} --train {input.train} --dev {input.dev}"
        " --problems {input.problems} --prompt {input.prompt} --reference '{input.reference}'"
        " --recipe {params.recipe:q} --learning-rate {wildcards.lr} --seed {wildcards.seed}"
        " --engine {params.engine:q} --criterion {params.criterion} --max-tokens {params.max_tokens} {params.readout}"
        " --label {wildcards.variant}/s{wildcards.seed}/{wildcards.specialist}/{wildcards.lr}"
        " --model {output.model} --metrics {output.metrics} --rejects {output.rejects} 2> {log}"


rule choose_specialist:
    """Keep the learning rate that the dev split chooses."""
    input:
        models=lambda w: [
            f"<results>/{w.method}/{w.variant}/s{w.seed}/train/{w.specialist}/{lr}/model/manifest.json"
            for lr in learning_rates(w)
        ],
        metrics=lambda w: [
            f"<results>/{w.method}/{w.variant}/s{w.seed}/train/{w.specialist}/{lr}/metrics.jsonl"
            for lr in learning_rates(w)
        ],
    output:
        model="<results>/models/{method}/{variant}/s{seed}/{specialist}/manifest.json",
        choice="<results>/{method}/{variant}/s{seed}/train/{specialist}/choice.json",
    log:
        "<logs>/choose_specialist/{method}.{variant}.s{seed}.{specialist}.log",
    benchmark:
        "<benchmarks>/choose_specialist/{method}.{variant}.s{seed}.{specialist}.jsonl"
    wildcard_constraints:
        specialist=TRAINED,
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("choose_specialist"),
        learning_rates=learning_rates,
        criterion=choosing_criterion,
    message:
        "choose the learning rate of {wildcards.specialist}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/choose_specialist.py --models {input.models} --metrics {input.metrics}"
        " --learning-rates {params.learning_rates} --criterion {params.criterion}"
        " --model {output.model} --choice {output.choice} 2> {log}"
