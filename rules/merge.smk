# Merging: the two specialists into one model, by every method of `merge.methods`.


rule merge_models:
    """Merge the length and the accuracy specialist."""
    input:
        base="<results>/models/base/manifest.json",
        length=lambda w: twin(w, "length"),
        accuracy=lambda w: twin(w, "accuracy"),
    output:
        model="<results>/models/recut/{variant}/s{seed}/{merge}/manifest.json",
        report="<results>/recut/{variant}/s{seed}/merge/{merge}.parquet",
    log:
        "<logs>/merge_models/{variant}.s{seed}.{merge}.log",
    benchmark:
        "<benchmarks>/merge_models/{variant}.s{seed}.{merge}.jsonl"
    wildcard_constraints:
        merge="|".join(sorted({name for v in variants(SETTINGS) for name in merged(SETTINGS, v)})) or "none",
    conda:
        "../envs/merging.yaml"
    resources:
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(120),
    params:
        *code_of("merge_models"),
        method=lambda w: as_json(recut(w.variant).merge.methods[w.merge]),
        dtype=lambda w: recut(w.variant).merge.dtype,
        seed=SETTINGS.seed,
    message:
        "merge by {wildcards.merge}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/merge_models.py --base {input.base} --length {input.length} --accuracy {input.accuracy}"
        " --method {params.method:q} --dtype {params.dtype} --seed {params.seed}"
        " --model {output.model} --report {output.report} 2> {log}"


rule choose_merge:
    """Choose one of a variant's merges on the dev split: the fewest tokens at the base's accuracy."""
    input:
        base="<results>/evaluate/base/neutral/dev.scores.parquet",
        scores=lambda w: [
            f"<results>/evaluate/recut/{home(w.variant, 'merge', merge)}/s{seed}/{merge}/neutral/dev.scores.parquet"
            for merge in merged(SETTINGS, w.variant)
            for seed in SETTINGS.seeds
        ],
    output:
        choice="<results>/recut/{variant}/merge.json",
    log:
        "<logs>/choose_merge/{variant}.log",
    benchmark:
        "<benchmarks>/choose_merge/{variant}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("choose_merge"),
        names=lambda w: [merge for merge in merged(SETTINGS, w.variant) for _ in SETTINGS.seeds],
    message:
        "choose the merge, variant {wildcards.variant}"
    shell:
        "python scripts/choose_merge.py --base {input.base} --scores {input.scores} --names {params.names}"
        " --choice {output.choice} 2> {log}"
