# The report: one page on the experiment, all methods side by side, and a chapter of each.
rule report:
    """Write the report, its figures and its tables."""
    input:
        files=WIRING.report_files(),
        page=multiext("scripts/bestpath/stages/report/", "template.html.jinja", "page.css", "page.js"),
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
        *code_of("report", *(method.report for method in EXPERIMENT.methods.values())),
        manifest=as_argument(WIRING.report()),
        report=subpath(output.html, parent=True),
    message:
        "write the report"
    shell:
        command("report", params="manifest report")
