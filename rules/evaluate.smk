# Evaluation: sample, grade, tabulate. A system is a model under a prompt.


rule evaluate_sample:
    """Answer the problems of one set with one system, under every decoding."""
    input:
        problems=problems_of,
        model="<results>/models/{model}/manifest.json",
        prompt="<prompts>/{prompt}.jinja",
    output:
        samples="<results>/evaluate/{model}/{prompt}/{set}.samples.parquet",
        usage="<results>/evaluate/{model}/{prompt}/{set}.usage.json",
    log:
        "<logs>/evaluate_sample/{model}/{prompt}.{set}.log",
    benchmark:
        "<benchmarks>/evaluate_sample/{model}/{prompt}.{set}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        gpu=sampling_gpus,
        endpoint=asks_endpoint,
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(240),
    params:
        *code_of("evaluate_sample"),
        decodings=lambda w: as_json(decodings(SETTINGS, w.set)),
        engine=engine_settings,
        limits=engine_limits,
        python=engine_python,
        max_tokens=SETTINGS.evaluation.max_tokens,
        seed=SETTINGS.seed,
        part=lambda w: "dev" if w.set == "dev" else "all",
    message:
        "answer {wildcards.set} with {wildcards.model}, {wildcards.prompt} prompt"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.python} scripts/evaluate_sample.py --problems {input.problems} --part {params.part} --model {input.model}"
        " --prompt {input.prompt} --decodings {params.decodings:q} --engine {params.engine:q}"
        " --limits {params.limits:q}"
        " --max-tokens {params.max_tokens} --seed {params.seed} --label {wildcards.model}/{wildcards.prompt}"
        " --samples {output.samples} --usage {output.usage} 2> {log}"


rule evaluate_grade:
    """Grade a system's answers. Grading again never samples again."""
    input:
        samples="<results>/evaluate/{model}/{prompt}/{set}.samples.parquet",
        problems=problems_of,
    output:
        scores="<results>/evaluate/{model}/{prompt}/{set}.scores.parquet",
    log:
        "<logs>/evaluate_grade/{model}/{prompt}.{set}.log",
    benchmark:
        "<benchmarks>/evaluate_grade/{model}/{prompt}.{set}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        *code_of("evaluate_grade"),
        programs=programs,
    message:
        "grade {wildcards.model}, {wildcards.prompt} prompt, on {wildcards.set}"
    shell:
        "python scripts/evaluate_grade.py --samples {input.samples} --problems {input.problems} {params.programs}"
        " --scores {output.scores} 2> {log}"


rule evaluate_table:
    """The result tables: accuracy, tokens and differences from the base, with intervals."""
    input:
        scores=[
            f"<results>/evaluate/{model}/{prompt}/{name}.scores.parquet"
            for name in SETTINGS.evaluation.sets
            for model, prompt in systems(name)
        ],
    output:
        metrics="<results>/tables/metrics.parquet",
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
        systems=as_json(
            [
                {**system_of(model, prompt), "dataset": name}
                for name in SETTINGS.evaluation.sets
                for model, prompt in systems(name)
            ]
        ),
        folder=subpath(output.metrics, parent=True),
        bootstrap=SETTINGS.evaluation.bootstrap,
        max_tokens=SETTINGS.evaluation.max_tokens,
        seed=SETTINGS.seed,
    message:
        "make the result tables"
    shell:
        "python scripts/evaluate_table.py --scores {input.scores} --systems {params.systems:q}"
        " --bootstrap {params.bootstrap} --max-tokens {params.max_tokens} --seed {params.seed}"
        " --metrics {output.metrics} --tables {params.folder} 2> {log}"


rule evaluate:
    """All tables."""
    input:
        rules.evaluate_table.output,
    message:
        "the tables are made"
