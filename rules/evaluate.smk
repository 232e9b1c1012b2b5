# Evaluation: answer, grade, tabulate. A system is models in roles, prompts, and a way to answer.
answerers = WIRING.answering()


rule evaluate_sample:
    """Answer the problems of one set with one system, under every decoding."""
    input:
        problems=WIRING.problems_of,
        models=answerers.manifests,
        prompts=lambda w: list(WIRING.system(w).prompts.values()),
    output:
        samples="<results>/evaluate/{system}/{set}.samples.parquet",
        usage="<results>/evaluate/{system}/{set}.usage.json",
    log:
        "<logs>/evaluate_sample/{system}.{set}.log",
    benchmark:
        "<benchmarks>/evaluate_sample/{system}.{set}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        **answerers.resources(minutes=240),
    params:
        **answerers.params("evaluate_sample", engine_python, WIRING.answerer),
        prompts=lambda w: [f"{name}={path}" for name, path in WIRING.system(w).prompts.items()],
        answerer=lambda w: WIRING.system(w).answerer,
        options=lambda w: as_argument(dict(WIRING.system(w).options)),
        decodings=lambda w: as_argument(WIRING.decodings(w.set)),
        max_tokens=SETTINGS.evaluation.max_tokens,
        seed=SETTINGS.seed,
        part=lambda w: "dev" if w.set == "dev" else "all",
        label=lambda w: w.system,
    message:
        "answer {wildcards.set} with {wildcards.system}"
    shell:
        command(
            "evaluate_sample",
            "problems",
            "prompts answerer options decodings max_tokens seed part label",
            outputs="samples usage",
            models=True,
        )


rule evaluate_grade:
    """Grade a system's answers. Grading again never samples again."""
    input:
        samples="<results>/evaluate/{system}/{set}.samples.parquet",
        problems=WIRING.problems_of,
    output:
        scores="<results>/evaluate/{system}/{set}.scores.parquet",
    log:
        "<logs>/evaluate_grade/{system}.{set}.log",
    benchmark:
        "<benchmarks>/evaluate_grade/{system}.{set}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=WIRING.reader_code,
        reader=lambda w: WIRING.system(w).reader,
        isolation=WIRING.isolation,
    message:
        "grade {wildcards.system} on {wildcards.set}"
    shell:
        command("evaluate_grade", "samples problems", "reader isolation", outputs="scores")


rule systems:
    """All systems of the experiment: their models, where these come from, and what they were made from."""
    input:
        usage=WIRING.usage_files(),
        choices=WIRING.choices(),
        lineages=WIRING.lineages(),
    output:
        systems="<results>/systems.json",
    log:
        "<logs>/systems/all.log",
    benchmark:
        "<benchmarks>/systems/all.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("systems"),
        declared=as_argument(WIRING.declared_systems()),
    message:
        "list the systems"
    shell:
        command("systems", "usage choices lineages", "declared", outputs="systems")


rule evaluate_table:
    """The result tables: accuracy, tokens, and the differences between any two systems, with intervals."""
    input:
        scores=[WIRING.scores(system, name) for system, name in WIRING.evaluated()],
        systems="<results>/systems.json",
    output:
        metrics="<results>/tables/metrics.parquet",
        differences="<results>/tables/differences.parquet",
        tables=multiext("<results>/tables/results", ".csv", ".md", ".json"),
    log:
        "<logs>/evaluate_table/all.log",
    benchmark:
        "<benchmarks>/evaluate_table/all.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("evaluate_table"),
        entries=as_argument([{"id": system.id, "dataset": name} for system, name in WIRING.evaluated()]),
        tables=subpath(output.metrics, parent=True),
        bootstrap=SETTINGS.evaluation.bootstrap,
        max_tokens=SETTINGS.evaluation.max_tokens,
        seed=SETTINGS.seed,
    message:
        "make the result tables"
    shell:
        command(
            "evaluate_table",
            "scores systems",
            "entries bootstrap max_tokens seed tables",
            outputs="metrics differences",
        )


rule evaluate:
    """All tables."""
    input:
        rules.evaluate_table.output,
    message:
        "the tables are made"
