# bestpath: sample reasoning paths, score them, keep the best, train on the difference, merge, evaluate.
#
#   snakemake                    everything, up to the report
#   snakemake <method>           the models of those variants of a method that the configuration runs
#   snakemake evaluate | report  the result tables, or the report
#   snakemake --configfile config/seeds.yaml …    with an overlay over config/config.yaml


configfile: "config/config.yaml"


include: "rules/common.smk"


pathvars:
    results=WIRING.results,
    logs=f"{WIRING.results}/logs",
    benchmarks=f"{WIRING.results}/benchmarks",


wildcard_constraints:
    method="|".join(EXPERIMENT.methods),
    variant=r"[\w-]+",
    seed=r"\d+",
    shard=r"\d{5}",
    specialist=r"[\w-]+",
    merge=r"[\w.-]+",
    lr=r"[\d.e-]+",
    set=r"[\w-]+",
    t=r"\d+",
    system=r"[\w./-]+",


include: "rules/embedded.smk"
include: "rules/problems.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"


for name in EXPERIMENT.methods:

    include: f"rules/{name}.smk"


include: "rules/report.smk"


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
