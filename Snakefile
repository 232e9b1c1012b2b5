# bestpath: sample reasoning paths, score them, keep the best, train on the difference, merge, evaluate.
#
#   snakemake                    everything, up to the report
#   snakemake recut              the specialists and merges of the ReCUT variants that `recut.run` names
#   snakemake gsi --configfile config/gsi.yaml    the models of all iterations of the variants that `gsi.run` names
#   snakemake evaluate | report  the result tables, or the report
#   snakemake --configfile config/seeds.yaml …    with an overlay over config/config.yaml


configfile: "config/config.yaml"


include: "rules/common.smk"


pathvars:
    results=f"results/{SETTINGS.experiment}",
    logs=f"results/{SETTINGS.experiment}/logs",
    benchmarks=f"results/{SETTINGS.experiment}/benchmarks",
    prompts=plan.prompt_folder(SETTINGS),


wildcard_constraints:
    variant=r"[\w-]+",
    seed=r"\d+",
    shard=r"\d{5}",
    method="recut|gsi",
    specialist=r"[\w-]+",
    merge=r"[\w.-]+",
    prompt=r"[\w-]+",
    set=r"[\w-]+",
    t=r"\d+",
    model=r"base|[a-z]+/[\w-]+/s\d+/[\w.-]+",


include: "rules/inputs.smk"
include: "rules/embedded.smk"
include: "rules/problems.smk"
include: "rules/evaluate.smk"
include: f"rules/{SETTINGS.method}.smk"


onstart:
    begin_run()


onsuccess:
    resume.sweep(WORK)


rule all:
    default_target: True
    input:
        "<results>/report/report.html",
    message:
        "everything is made"
