# Problems: read, normalise, deduplicate, decontaminate, split.


rule problems_test:
    """The problems of one evaluation set."""
    input:
        source=lambda w: source_of(SETTINGS.evaluation.sets[w.set].path),
    output:
        problems="<results>/problems/{set}.parquet",
        rejects="<results>/problems/{set}.rejects.parquet",
    log:
        "<logs>/problems_test/{set}.log",
    benchmark:
        "<benchmarks>/problems_test/{set}.jsonl"
    wildcard_constraints:
        set="|".join(SETTINGS.evaluation.sets),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("problems_test"),
        source=lambda w: as_json(source_settings(SETTINGS.evaluation.sets[w.set], w.set)),
        seed=SETTINGS.seed,
        max_bad=SETTINGS.problems.max_bad,
    message:
        "normalise the problems of {wildcards.set}"
    shell:
        "HF_HUB_OFFLINE=0 python scripts/problems_test.py"
        " --source {params.source:q} --seed {params.seed} --max-bad {params.max_bad}"
        " --problems {output.problems} --rejects {output.rejects} 2> {log}"


rule problems_train:
    """The training problems: not in any evaluation set, split into train and dev."""
    input:
        sources=[source_of(source.path) for source in sources().values() if source_of(source.path)],
        tests=[f"<results>/problems/{name}.parquet" for name in SETTINGS.evaluation.sets],
    output:
        problems="<results>/problems/train.parquet",
        rejects="<results>/problems/train.rejects.parquet",
    log:
        "<logs>/problems_train/train.log",
    benchmark:
        "<benchmarks>/problems_train/train.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("problems_train"),
        sources=as_json([source_settings(source, name) for name, source in sources().items()]),
        seed=SETTINGS.seed,
        max_bad=SETTINGS.problems.max_bad,
        dev_fraction=SETTINGS.problems.dev_fraction,
        ngram=SETTINGS.problems.decontaminate_ngram,
    message:
        "normalise and split the training problems"
    shell:
        "HF_HUB_OFFLINE=0 python scripts/problems_train.py --tests {input.tests}"
        " --sources {params.sources:q} --seed {params.seed} --max-bad {params.max_bad}"
        " --dev-fraction {params.dev_fraction} --ngram {params.ngram}"
        " --problems {output.problems} --rejects {output.rejects} 2> {log}"
