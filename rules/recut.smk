# ReCUT: explore stepwise, collect candidates, choose the optimal path, build preference and SFT sets, choose a merge.
recut = WIRING.of("recut")
explorers = recut.players("explore")


rule recut_explore:
    """Explore the problems of one shard, long against short, step by step."""
    input:
        **recut.prompts("long", "short", "neutral"),
        problems=recut.problems,
        models=explorers.manifests,
    output:
        **recut.makes("explore"),
    log:
        "<logs>/recut_explore/{variant}.s{seed}.{shard}.log",
    benchmark:
        "<benchmarks>/recut_explore/{variant}.s{seed}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        **explorers.resources(minutes=240),
    params:
        **explorers.params("recut_explore", engine_python),
        rules=recut.settings("explore", "rules"),
        shard_size=SETTINGS.problems.shard_size,
    message:
        "explore, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        command(
            "recut_explore",
            "problems long short neutral",
            "rules shard_size",
            "seed shard",
            "trials usage",
            models=True,
        )


rule recut_candidates:
    """Assemble every complete trajectory of the trace; reject duplicates and what cannot be judged."""
    input:
        unpack(recut.needs("candidates")),
        problems=recut.problems,
        model=BASE_MODEL,
    output:
        **recut.makes("candidates"),
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
        rules=recut.settings("candidates", "rules"),
        stop_rule=recut.settings("candidates", "stop_rule"),
    message:
        "collect candidates, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("recut_candidates", "trials problems model", "rules stop_rule", outputs="candidates rejects")


rule recut_optimal:
    """Choose the optimal path of every problem: its shortest correct candidate."""
    input:
        unpack(recut.needs("optimal")),
        problems=recut.problems,
    output:
        **recut.makes("optimal"),
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
        length_unit=recut.settings("optimal", "length_unit"),
    message:
        "choose optimal paths, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("recut_optimal", "candidates problems", "length_unit", outputs="optimal rejects")


rule recut_pairs:
    """Build one training set of preferences: the optimal path against longer or against wrong candidates."""
    input:
        unpack(recut.needs("pairs")),
        problems=recut.problems,
        model=BASE_MODEL,
        prompt=recut.prompt("neutral"),
    output:
        **recut.makes("pairs"),
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
        rules=recut.settings("pairs", "rules"),
        writer=recut.plays("actor"),
        seed=SETTINGS.seed,
    message:
        "build the {wildcards.set} pairs, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "recut_pairs", "candidates optimal problems model prompt", "rules writer seed", "set", "train dev rejects"
        )


rule recut_sft:
    """Build the SFT set: the optimal path of every solved problem."""
    input:
        unpack(recut.needs("pairs")),
        problems=recut.problems,
        model=BASE_MODEL,
        prompt=recut.prompt("neutral"),
    output:
        **recut.makes("pairs"),
    log:
        "<logs>/recut_sft/{variant}.s{seed}.{set}.log",
    benchmark:
        "<benchmarks>/recut_sft/{variant}.s{seed}.{set}.jsonl"
    wildcard_constraints:
        set="sft",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("recut_sft"),
        rules=recut.settings("pairs", "rules"),
        writer=recut.plays("actor"),
        strategy=recut.settings("pairs", "strategy"),
    message:
        "build the SFT set, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "recut_sft",
            "candidates optimal problems model prompt",
            "rules writer strategy",
            outputs="train dev rejects",
        )


rule recut_funnel:
    """Count what became of every problem, completion and candidate; fail if one is missing."""
    input:
        unpack(recut.needs("funnel")),
        problems=recut.problems,
    output:
        **recut.makes("funnel"),
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
        rounds=recut.settings("funnel", "rounds"),
        stages=recut.settings("funnel", "stages"),
    message:
        "count the funnel, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "recut_funnel",
            "trials problems candidates candidate_rejects optimal sets",
            "rounds stages",
            outputs="counts",
        )


rule recut_choose_merge:
    """Choose one of a variant's merges on the dev split: the fewest tokens at the base's accuracy."""
    input:
        base=recut.base_scores("dev"),
        scores=recut.scores("choice", "models", "dev"),
    output:
        **recut.makes("choice"),
    log:
        "<logs>/recut_choose_merge/{variant}.log",
    benchmark:
        "<benchmarks>/recut_choose_merge/{variant}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("recut_choose_merge"),
        names=recut.repeated("choice", "names"),
    message:
        "choose the merge, variant {wildcards.variant}"
    shell:
        command("recut_choose_merge", "base scores", "names", outputs="choice")


rule recut:
    """The specialists and merges of all variants."""
    input:
        recut.models(),
