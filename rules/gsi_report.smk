# The report of GSI: all variants and iterations side by side.
rule gsi_report:
    """Write the report, its figures and its tables."""
    input:
        results="<results>/tables/results.json",
        tests=f"<results>/problems/{FIRST_SET}.parquet",
        scores=[f"<results>/evaluate/{model}/plain/{FIRST_SET}.scores.parquet" for model in models(SETTINGS)],
        problems="<results>/problems/train.parquet",
        tails=[tail_of(**reading) for reading in readings()],
        sampled=[f"<results>/gsi/{home}/s{seed}/sampled/1.parquet" for _, home, seed in first_sets()],
        questions=[f"<results>/gsi/{home}/s{seed}/questions/1.parquet" for _, home, seed in first_sets()[-1:]],
        audit=f"<results>/gsi/{gsi_home(variants(SETTINGS)[0], 'plain', 0)}/s{SEED}/audit.parquet",
        pretraining=("<results>/embedded/pretraining.parquet" if SETTINGS.model.source == "embedded" else []),
        page=multiext("scripts/bestpath/stages/report/", "template.html.jinja", "page.css", "page.js"),
    output:
        html="<results>/report/report.html",
        summary="<results>/report/summary.txt",
    log:
        "<logs>/gsi_report/report.log",
    benchmark:
        "<benchmarks>/gsi_report/report.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("gsi_report"),
        spec=as_json(gsi_report_spec()),
        benchmarks=f"results/{SETTINGS.experiment}/benchmarks",
        folder=subpath(output.html, parent=True),
    message:
        "write the report"
    shell:
        "python scripts/gsi_report.py --spec {params.spec:q} --results {input.results} --tests {input.tests}"
        " --scores {input.scores} --problems {input.problems} --tails {input.tails} --sampled {input.sampled}"
        " --questions '{input.questions}' --audit {input.audit} --pretraining {input.pretraining}"
        " --benchmarks {params.benchmarks} --report {params.folder} 2> {log}"


rule report:
    """The report."""
    input:
        rules.gsi_report.output,
    message:
        "the report is written"
