# The report: one page on the experiment, in detail on its first variant and seed.
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
        dev_samples=[f"<results>/evaluate/{model}/neutral/dev.samples.parquet" for model in dev_systems()],
        dev_scores=[f"<results>/evaluate/{model}/neutral/dev.scores.parquet" for model in dev_systems()],
        problems="<results>/problems/train.parquet",
        trials=[of_first("explore", f"explore/{shard}.parquet") for shard in shards()],
        optimal=of_first("candidates", "optimal.parquet"),
        candidates=of_first("candidates", "candidates.parquet"),
        counts=[f"<results>/recut/{variant}/s{SEED}/funnel.json" for variant in variants(SETTINGS)],
        training=[
            of_first("train", f"train/{specialist}/{rate}/metrics.jsonl", specialist)
            for specialist, rate in training_runs()
        ],
        training_sets=[
            of_first("pairs", f"pairs/{SETS[specialist]}.train.jsonl", SETS[specialist])
            for specialist in trained(SETTINGS, VARIANT)
        ],
        choices=[
            of_first("train", f"train/{specialist}/choice.json", specialist)
            for specialist in trained(SETTINGS, VARIANT)
        ],
        merges=[of_first("merge", f"merge/{merge}.parquet", merge) for merge in merged(SETTINGS, VARIANT)],
        merge_choices=[
            f"<results>/recut/{variant}/merge.json" for variant in variants(SETTINGS) if merged(SETTINGS, variant)
        ],
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
        summary="<results>/report/summary.txt",
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
        " --scores {input.scores} --samples {input.samples} --dev-samples {input.dev_samples}"
        " --dev-scores {input.dev_scores} --problems {input.problems} --trials {input.trials}"
        " --candidates {input.candidates} --optimal {input.optimal} --counts {input.counts}"
        " --training {input.training} --training-sets {input.training_sets} --choices {input.choices}"
        " --merge-reports {input.merges} --merge-choices {input.merge_choices}"
        " --pretraining {input.pretraining} --model {input.model}"
        " --benchmarks {params.benchmarks} --report {params.folder} 2> {log}"
