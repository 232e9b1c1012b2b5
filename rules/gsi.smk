# GSI: train on references, then draw, grade, guide where answers are missing, select, and train from the base again.
gsi = WIRING.of("gsi")
drawers, guides, readers = gsi.players("draw"), gsi.players("guide"), gsi.players("perplexity")


rule gsi_references:
    """Make the first training set: the references of the pool."""
    input:
        problems=gsi.problems,
        prompt=gsi.prompt("plain"),
    output:
        **gsi.makes("select", "train", "dev", "rejects"),
    log:
        "<logs>/gsi_references/{variant}.s{seed}.{t}.log",
    benchmark:
        "<benchmarks>/gsi_references/{variant}.s{seed}.{t}.jsonl"
    wildcard_constraints:
        t="0",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        *code_of("gsi_references"),
    message:
        "take the references, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("gsi_references", "problems prompt", outputs="train dev rejects")


rule gsi_sample:
    """Draw plain answers to the questions of one shard with the model of an iteration."""
    input:
        problems=gsi.problems,
        models=drawers.manifests,
        prompt=gsi.prompt("plain"),
    output:
        **gsi.makes("draw"),
    log:
        "<logs>/gsi_sample/{variant}.s{seed}.{t}.{shard}.log",
    benchmark:
        "<benchmarks>/gsi_sample/{variant}.s{seed}.{t}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        **drawers.resources(minutes=240),
    params:
        **drawers.params("gsi_sample", engine_python, gsi.sandbox_modules),
        isolation=gsi.isolation,
        rules=gsi.settings("draw", "rules"),
        shard_size=SETTINGS.problems.shard_size,
    message:
        "draw at iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        command(
            "gsi_sample", "problems prompt", "rules isolation shard_size", "t seed shard", "draws usage", models=True
        )


rule gsi_grade:
    """Grade the plain answers of one shard."""
    input:
        unpack(gsi.needs("grade")),
        problems=gsi.problems,
    output:
        **gsi.makes("grade"),
    log:
        "<logs>/gsi_grade/{variant}.s{seed}.{t}.{shard}.log",
    benchmark:
        "<benchmarks>/gsi_grade/{variant}.s{seed}.{t}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        *code_of("gsi_grade", *gsi.sandbox_modules()),
        isolation=gsi.isolation,
        rules=gsi.settings("grade", "rules"),
    message:
        "grade iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        command("gsi_grade", "draws problems", "rules isolation", outputs="graded")


rule gsi_guide:
    """Ask the questions of one shard that are short of correct answers again, with help."""
    input:
        unpack(gsi.needs("guide", "plain")),
        problems=gsi.problems,
        models=guides.manifests,
        prompts=gsi.prompt_files("guide"),
    output:
        **gsi.makes("guide"),
    log:
        "<logs>/gsi_guide/{variant}.s{seed}.{t}.{shard}.log",
    benchmark:
        "<benchmarks>/gsi_guide/{variant}.s{seed}.{t}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        **guides.resources(minutes=480),
    params:
        **guides.params("gsi_guide", engine_python, gsi.sandbox_modules),
        isolation=gsi.isolation,
        prompts=gsi.named_prompts("guide"),
        rules=gsi.settings("guide", "rules"),
        shard_size=SETTINGS.problems.shard_size,
    message:
        "guide iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        command(
            "gsi_guide",
            "problems plain",
            "prompts rules isolation shard_size",
            "t seed shard",
            "graded usage",
            models=True,
        )


rule gsi_select:
    """Make the training set of iteration t from the draws of the one before."""
    input:
        unpack(gsi.needs("select")),
        problems=gsi.problems,
        prompt=gsi.prompt("plain"),
    output:
        **gsi.makes("select", "train", "sampled", "questions", "rejects"),
    log:
        "<logs>/gsi_select/{variant}.s{seed}.{t}.log",
    benchmark:
        "<benchmarks>/gsi_select/{variant}.s{seed}.{t}.jsonl"
    wildcard_constraints:
        t=r"[1-9]\d*",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        *code_of("gsi_select"),
        rules=gsi.settings("select", "rules"),
        writer=gsi.model_named("select", "writer"),
        teacher=gsi.plays("teacher"),
    message:
        "select the rows of iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command(
            "gsi_select",
            "plain guided paid further problems prompt",
            "rules writer teacher",
            "seed",
            "train sampled questions rejects",
        )


rule gsi_perplexity:
    """Let the base say how probable it finds a training set."""
    input:
        unpack(gsi.needs("perplexity")),
        models=readers.manifests,
    output:
        **gsi.makes("perplexity"),
    log:
        "<logs>/gsi_perplexity/{variant}.s{seed}.{t}.log",
    benchmark:
        "<benchmarks>/gsi_perplexity/{variant}.s{seed}.{t}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        **readers.resources(minutes=120),
    params:
        **readers.params("gsi_perplexity", engine_python),
    message:
        "perplexity of the rows of iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("gsi_perplexity", "train", outputs="perplexities", models=True)


rule gsi_tail:
    """Measure what became of the hard questions in a training set."""
    input:
        unpack(gsi.needs("tail")),
        problems=gsi.problems,
    output:
        **gsi.makes("tail"),
    log:
        "<logs>/gsi_tail/{variant}.s{seed}.{t}.log",
    benchmark:
        "<benchmarks>/gsi_tail/{variant}.s{seed}.{t}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("gsi_tail"),
    message:
        "the tail of iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("gsi_tail", "train references perplexities first sampled questions problems", outputs="tail")


rule gsi_audit:
    """Compare our verifier with the released one on the plain draws of iteration 0."""
    input:
        unpack(gsi.needs("audit")),
        problems=gsi.problems,
    output:
        **gsi.makes("audit"),
    log:
        "<logs>/gsi_audit/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/gsi_audit/{variant}.s{seed}.jsonl"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        *code_of("gsi_audit"),
    message:
        "audit the verifier, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        command("gsi_audit", "graded problems", outputs="audit")


rule gsi:
    """The models of all iterations and variants."""
    input:
        gsi.models(),
