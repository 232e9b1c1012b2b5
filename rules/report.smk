# The report: one page on the experiment, with the path explorer for its first variant and seed.
rule report:
    """Write the report, its figures and its tables."""
    input:
        results="<results>/tables/results.json",
        scores=[
            f"<results>/evaluate/{model}/{prompt}/{FIRST_SET}.scores.parquet" for model, prompt in systems(FIRST_SET)
        ],
        samples=[
            f"<results>/evaluate/{model}/{prompt}/{FIRST_SET}.samples.parquet" for model, prompt in systems(FIRST_SET)
        ],
        base_samples="<results>/evaluate/base/neutral/dev.samples.parquet",
        base_scores="<results>/evaluate/base/neutral/dev.scores.parquet",
        problems="<results>/problems/train.parquet",
        trials=[of_first("explore", f"explore/{shard}.parquet") for shard in shards()],
        optimal=of_first("candidates", "optimal.parquet"),
        candidates=of_first("candidates", "candidates.parquet"),
        counts=f"<results>/recut/{VARIANT}/s{SEED}/funnel.json",
        training=[
            of_first("train", f"train/{specialist}/{rate}/metrics.jsonl", specialist)
            for specialist, rate in training_runs()
        ],
        choices=[
            of_first("train", f"train/{specialist}/choice.json", specialist)
            for specialist in trained(SETTINGS, VARIANT)
        ],
        merges=[of_first("merge", f"merge/{merge}.parquet", merge) for merge in merged(SETTINGS, VARIANT)],
        merge_choice=(f"<results>/recut/{VARIANT}/merge.json" if merged(SETTINGS, VARIANT) else []),
        pretraining=("<results>/embedded/pretraining.parquet" if SETTINGS.model.source == "embedded" else []),
        model="<results>/models/base/manifest.json",
        page=multiext(
            "scripts/bestpath/stages/report/",
            "template.html.jinja",
            "page.css",
            "page.js",
        ),
    output:
        html="<results>/report/report.html",
    log:
        "<logs>/report/report.log",
    benchmark:
        "<benchmarks>/report/report.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("report"),
        spec=as_json(report_spec()),
        benchmarks=f"results/{SETTINGS.experiment}/benchmarks",
        folder=subpath(output.html, parent=True),
    message:
        "write the report"
    shell:
        "python scripts/report.py --spec {params.spec:q} --results {input.results}"
        " --scores {input.scores} --samples {input.samples} --base-samples {input.base_samples}"
        " --base-scores {input.base_scores} --problems {input.problems} --trials {input.trials}"
        " --candidates {input.candidates} --optimal {input.optimal} --counts {input.counts}"
        " --training {input.training} --choices {input.choices} --merge-reports {input.merges}"
        " --merge-choice '{input.merge_choice}' --pretraining '{input.pretraining}' --model {input.model}"
        " --benchmarks {params.benchmarks} --report {params.folder} 2> {log}"
