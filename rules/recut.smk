# ReCUT: explore stepwise, collect candidates, choose the optimal path, build preference and SFT sets.
include: "recut_inputs.smk"
include: "train.smk"


rule recut_explore:
    """Explore the problems of one shard, long against short, step by step."""
    input:
        problems="<results>/problems/train.parquet",
        model="<results>/models/base/manifest.json",
        long="<prompts>/long.jinja",
        short="<prompts>/short.jinja",
        neutral="<prompts>/neutral.jinja",
    output:
        trials="<results>/recut/{variant}/s{seed}/explore/{shard}.parquet",
        usage="<results>/recut/{variant}/s{seed}/explore/{shard}.usage.json",
    log:
        "<logs>/recut_explore/{variant}.s{seed}.{shard}.log",
    benchmark:
        "<benchmarks>/recut_explore/{variant}.s{seed}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        gpu=sampling_gpus,
        endpoint=asks_endpoint,
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(240),
    params:
        *code_of("recut_explore"),
        rules=lambda w: as_json(recut(w.variant).explore),
        engine=engine_settings,
        limits=engine_limits,
        python=engine_python,
        shard_size=SETTINGS.problems.shard_size,
    message:
        "explore, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.python} scripts/recut_explore.py --problems {input.problems} --model {input.model} --long {input.long}"
        " --short {input.short} --neutral {input.neutral}"
        " --rules {params.rules:q} --engine {params.engine:q} --limits {params.limits:q} --seed {wildcards.seed}"
        " --shard {wildcards.shard} --shard-size {params.shard_size}"
        " --trials {output.trials} --usage {output.usage} 2> {log}"


rule recut_candidates:
    """Assemble every complete trajectory of the trace; reject duplicates and what cannot be judged."""
    input:
        trials=lambda w: [
            f"<results>/recut/{home(w.variant, 'explore')}/s{w.seed}/explore/{shard}.parquet" for shard in shards()
        ],
        problems="<results>/problems/train.parquet",
        model="<results>/models/base/manifest.json",
    output:
        candidates="<results>/recut/{variant}/s{seed}/candidates.parquet",
        rejects="<results>/recut/{variant}/s{seed}/candidates.rejects.parquet",
    log:
        "<logs>/recut_candidates/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/recut_candidates/{variant}.s{seed}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_candidates"),
        rules=lambda w: as_json(recut(w.variant).pairs.model_dump(include={"rounds", "verifier", "length_unit"})),
        stop_rule=lambda w: recut(w.variant).explore.stop_rule,
    message:
        "collect candidates, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/recut_candidates.py --trials {input.trials} --problems {input.problems} --model {input.model}"
        " --rules {params.rules:q} --stop-rule {params.stop_rule}"
        " --candidates {output.candidates} --rejects {output.rejects} 2> {log}"


rule recut_optimal:
    """Choose the optimal path of every problem: its shortest correct candidate."""
    input:
        candidates="<results>/recut/{variant}/s{seed}/candidates.parquet",
        problems="<results>/problems/train.parquet",
    output:
        optimal="<results>/recut/{variant}/s{seed}/optimal.parquet",
        rejects="<results>/recut/{variant}/s{seed}/optimal.rejects.parquet",
    log:
        "<logs>/recut_optimal/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/recut_optimal/{variant}.s{seed}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_optimal"),
        length_unit=lambda w: recut(w.variant).pairs.length_unit,
    message:
        "choose optimal paths, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/recut_optimal.py --candidates {input.candidates} --problems {input.problems}"
        " --length-unit {params.length_unit} --optimal {output.optimal} --rejects {output.rejects} 2> {log}"


rule recut_pairs:
    """Build one training set of preferences: the optimal path against longer or against wrong candidates."""
    input:
        candidates=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/candidates.parquet",
        optimal=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/optimal.parquet",
        problems="<results>/problems/train.parquet",
        prompt="<prompts>/neutral.jinja",
        model="<results>/models/base/manifest.json",
    output:
        train="<results>/recut/{variant}/s{seed}/pairs/{set}.train.jsonl",
        dev="<results>/recut/{variant}/s{seed}/pairs/{set}.dev.jsonl",
        rejects="<results>/recut/{variant}/s{seed}/pairs/{set}.rejects.parquet",
    log:
        "<logs>/recut_pairs/{variant}.s{seed}.{set}.log",
    benchmark:
        "<benchmarks>/recut_pairs/{variant}.s{seed}.{set}.jsonl"
    wildcard_constraints:
        set="length|accuracy|union",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_pairs"),
        rules=lambda w: as_json(pair_rules(recut(w.variant), w.set)),
        seed=SETTINGS.seed,
    message:
        "build the {wildcards.set} pairs, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/recut_pairs.py --set {wildcards.set} --candidates {input.candidates} --optimal {input.optimal}"
        " --problems {input.problems} --prompt {input.prompt} --model {input.model} --rules {params.rules:q}"
        " --seed {params.seed}"
        " --train {output.train} --dev {output.dev} --rejects {output.rejects} 2> {log}"


rule recut_sft:
    """Build the SFT set: the optimal path of every solved problem."""
    input:
        candidates=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/candidates.parquet",
        optimal=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/optimal.parquet",
        problems="<results>/problems/train.parquet",
        prompt="<prompts>/neutral.jinja",
        model="<results>/models/base/manifest.json",
    output:
        train="<results>/recut/{variant}/s{seed}/pairs/sft.train.jsonl",
        dev="<results>/recut/{variant}/s{seed}/pairs/sft.dev.jsonl",
        rejects="<results>/recut/{variant}/s{seed}/pairs/sft.rejects.parquet",
    log:
        "<logs>/recut_sft/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/recut_sft/{variant}.s{seed}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_sft"),
        rules=lambda w: as_json(pair_rules(recut(w.variant), "sft")),
        strategy=lambda w: recut(w.variant).explore.strategy,
    message:
        "build the SFT set, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/recut_sft.py --candidates {input.candidates} --optimal {input.optimal}"
        " --problems {input.problems} --prompt {input.prompt} --model {input.model} --rules {params.rules:q}"
        " --strategy {params.strategy}"
        " --train {output.train} --dev {output.dev} --rejects {output.rejects} 2> {log}"


rule recut_funnel:
    """Count what became of every problem, completion and candidate; fail if one is missing."""
    input:
        trials=lambda w: [
            f"<results>/recut/{home(w.variant, 'explore')}/s{w.seed}/explore/{shard}.parquet" for shard in shards()
        ],
        problems="<results>/problems/train.parquet",
        candidates=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/candidates.parquet",
        candidate_rejects=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/candidates.rejects.parquet",
        optimal=lambda w: f"<results>/recut/{home(w.variant, 'candidates')}/s{w.seed}/optimal.parquet",
        sets=lambda w: [path for files in training_sets(w).values() for path in files.values()],
    output:
        counts="<results>/recut/{variant}/s{seed}/funnel.json",
    log:
        "<logs>/recut_funnel/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/recut_funnel/{variant}.s{seed}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_funnel"),
        rounds=lambda w: recut(w.variant).pairs.rounds or recut(w.variant).explore.rounds,
        sets=lambda w: as_json(
            {
                stage: {part.split(".")[0]: path for part, path in files.items()}
                for stage, files in training_sets(w).items()
            }
        ),
    message:
        "count the funnel, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/recut_funnel.py --trials {input.trials} --rounds {params.rounds} --problems {input.problems}"
        " --candidates {input.candidates} --candidate-rejects {input.candidate_rejects} --optimal {input.optimal}"
        " --sets {params.sets:q} --counts {output.counts} 2> {log}"


rule train_reference:
    """Compute the log-probabilities of a training set under the model that training starts from, for all runs on it."""
    input:
        start=start_of,
        train=lambda w: training_set(w, "train"),
        dev=lambda w: training_set(w, "dev"),
        deepspeed=deepspeed,
    output:
        reference="<results>/recut/{variant}/s{seed}/reference/{specialist}.parquet",
    log:
        "<logs>/train_reference/{variant}.s{seed}.{specialist}.log",
    benchmark:
        "<benchmarks>/train_reference/{variant}.s{seed}.{specialist}.jsonl"
    conda:
        "../envs/training.yaml"
    threads: SETTINGS.compute.threads * SETTINGS.compute.processes
    resources:
        **training_devices(),
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(240),
    params:
        *code_of("train_reference"),
        recipe=lambda w: as_recipe(reference_settings(recut(w.variant)), objective(w)),
        launcher=launcher,
    message:
        "reference log-probabilities for {wildcards.specialist}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.launcher} scripts/train_reference.py --start {input.start} --train {input.train} --dev {input.dev}"
        " --recipe {params.recipe:q} --reference {output.reference} 2> {log}"


include: "merge.smk"
include: "recut_report.smk"


rule recut:
    """The specialists and merges of all variants."""
    input:
        [f"<results>/models/{model}/manifest.json" for model in models(SETTINGS)],
