# bestpath: sample reasoning paths, score them, keep the best, train on the difference, merge, evaluate.
#
#   snakemake                    everything, up to the report
#   snakemake recut              the specialists and merges of the ReCUT variants that `recut.run` names
#   snakemake evaluate | report  the result tables, or the report
#   snakemake --configfile config/seeds.yaml …    with an overlay over config/config.yaml


configfile: "config/config.yaml"


include: "rules/common.smk"


pathvars:
    results=f"results/{SETTINGS.experiment}",
    logs=f"results/{SETTINGS.experiment}/logs",
    benchmarks=f"results/{SETTINGS.experiment}/benchmarks",


wildcard_constraints:
    variant=r"[\w-]+",
    seed=r"\d+",
    shard=r"\d{5}",
    specialist=r"[\w-]+",
    merge=r"[\w.-]+",
    prompt=r"[\w-]+",
    set=r"[\w-]+",
    model=r"base|[a-z]+/[\w-]+/s\d+/[\w.-]+",


include: "rules/inputs.smk"
include: "rules/embedded.smk"
include: "rules/problems.smk"
include: "rules/recut.smk"
include: "rules/train.smk"
include: "rules/merge.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"


onstart:
    begin_run()


onsuccess:
    resume.sweep(WORK)


rule all:
    default_target: True
    input:
        rules.report.output,
    message:
        "everything is made"


rule recut:
    input:
        [f"<results>/models/{model}/manifest.json" for model in models(SETTINGS)],
