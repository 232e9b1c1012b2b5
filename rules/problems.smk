# Problems: read, normalise, deduplicate, decontaminate, split.


rule problems_test:
    """The problems of one evaluation set."""
    input:
        source=lambda w: WIRING.file_of(SETTINGS.evaluation.sets[w.set]),
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
        source=lambda w: as_argument(WIRING.source(SETTINGS.evaluation.sets[w.set], w.set)),
        seed=SETTINGS.seed,
        max_bad=SETTINGS.problems.max_bad,
    message:
        "normalise the problems of {wildcards.set}"
    shell:
        command(
            "problems_test",
            "",
            "source seed max_bad",
            outputs="problems rejects",
            launcher="HF_HUB_OFFLINE=0 python",
        )


rule problems_train:
    """The training problems: not in any evaluation set, split into train and dev."""
    input:
        sources=[WIRING.file_of(source) for source in SETTINGS.sources().values() if WIRING.file_of(source)],
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
        sources=as_argument([WIRING.source(source, name) for name, source in SETTINGS.sources().items()]),
        seed=SETTINGS.seed,
        max_bad=SETTINGS.problems.max_bad,
        dev_fraction=SETTINGS.problems.dev_fraction,
        ngram=SETTINGS.problems.decontaminate_ngram,
    message:
        "normalise and split the training problems"
    shell:
        command(
            "problems_train",
            "tests",
            "sources seed max_bad dev_fraction ngram",
            outputs="problems rejects",
            launcher="HF_HUB_OFFLINE=0 python",
        )


rule problems_choose:
    """Those of the training problems that a method trains on, where it does not take all."""
    input:
        problems="<results>/problems/train.parquet",
    output:
        problems="<results>/{method}/problems.parquet",
    log:
        "<logs>/problems_choose/{method}.log",
    benchmark:
        "<benchmarks>/problems_choose/{method}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("problems_choose"),
        datasets=lambda w: [source.name or name for name, source in WIRING.sources(w.method).items()],
    message:
        "choose the problems that {wildcards.method} trains on"
    shell:
        "python scripts/problems_choose.py --all {input.problems} --datasets {params.datasets:q}"
        " --problems {output.problems} 2> {log}"
