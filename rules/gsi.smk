# GSI: train on references, then draw, grade, guide where answers are missing, select, and train from the base again.
include: "gsi_inputs.smk"
include: "train.smk"


rule gsi_references:
    """Make the first training set: the references of the pool."""
    input:
        problems="<results>/problems/train.parquet",
        prompt="<prompts>/plain.jinja",
    output:
        train="<results>/gsi/{variant}/s{seed}/sft/0.train.jsonl",
        dev="<results>/gsi/{variant}/s{seed}/sft/0.dev.jsonl",
        rejects="<results>/gsi/{variant}/s{seed}/sft/0.rejects.parquet",
    log:
        "<logs>/gsi_references/{variant}.s{seed}.log",
    benchmark:
        "<benchmarks>/gsi_references/{variant}.s{seed}.jsonl"
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
        "python scripts/gsi_references.py --problems {input.problems} --prompt {input.prompt}"
        " --train {output.train} --dev {output.dev} --rejects {output.rejects} 2> {log}"


rule gsi_sample:
    """Draw plain answers to the questions of one shard with the model of an iteration."""
    input:
        problems="<results>/problems/train.parquet",
        model=model_of,
        prompt="<prompts>/plain.jinja",
    output:
        draws="<results>/gsi/{variant}/s{seed}/draws/{t}/plain/{shard}.parquet",
        usage="<results>/gsi/{variant}/s{seed}/draws/{t}/plain/{shard}.usage.json",
    log:
        "<logs>/gsi_sample/{variant}.s{seed}.{t}.{shard}.log",
    benchmark:
        "<benchmarks>/gsi_sample/{variant}.s{seed}.{t}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        gpu=gpus,
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(240),
    params:
        *code_of("gsi_sample"),
        rules=lambda w: as_json(gsi(w.variant).sample.model_dump(exclude={"verifier"})),
        engine=trained_engine,
        python=engine_python,
        shard_size=SETTINGS.problems.shard_size,
    message:
        "draw at iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.python} scripts/gsi_sample.py --problems {input.problems} --model {input.model}"
        " --prompt {input.prompt} --t {wildcards.t} --rules {params.rules:q} --engine {params.engine:q}"
        " --seed {wildcards.seed} --shard {wildcards.shard} --shard-size {params.shard_size}"
        " --draws {output.draws} --usage {output.usage} 2> {log}"


rule gsi_grade:
    """Grade the plain answers of one shard."""
    input:
        draws="<results>/gsi/{variant}/s{seed}/draws/{t}/plain/{shard}.parquet",
        problems="<results>/problems/train.parquet",
    output:
        graded="<results>/gsi/{variant}/s{seed}/graded/{t}/plain/{shard}.parquet",
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
        *code_of("gsi_grade"),
        rules=lambda w: as_json(gsi(w.variant).sample.model_dump(include={"mode", "verifier", "min_level"})),
    message:
        "grade iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        "python scripts/gsi_grade.py --draws {input.draws} --problems {input.problems} --rules {params.rules:q}"
        " --graded {output.graded} 2> {log}"


rule gsi_guide:
    """Ask the questions of one shard that are short of correct answers again, with help."""
    input:
        problems="<results>/problems/train.parquet",
        plain=lambda w: [
            f"<results>/gsi/{gsi_home(w.variant, 'plain', int(w.t))}/s{w.seed}/graded/{w.t}/plain/{w.shard}.parquet"
        ],
        model=model_of,
        base="<results>/models/base/manifest.json",
        prompts=lambda w: list(help_prompts(w).values()),
    output:
        graded="<results>/gsi/{variant}/s{seed}/graded/{t}/guided/{shard}.parquet",
        usage="<results>/gsi/{variant}/s{seed}/graded/{t}/guided/{shard}.usage.json",
    log:
        "<logs>/gsi_guide/{variant}.s{seed}.{t}.{shard}.log",
    benchmark:
        "<benchmarks>/gsi_guide/{variant}.s{seed}.{t}.{shard}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        gpu=gpus,
        endpoint=asks_teacher,
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(480),
    params:
        *code_of("gsi_guide"),
        prompts=lambda w: [f"{role}={path}" for role, path in help_prompts(w).items()],
        rules=lambda w: as_json(guided_rules(w)),
        engine=trained_engine,
        teacher=teacher_engine,
        limits=teacher_limits,
        python=engine_python,
        shard_size=SETTINGS.problems.shard_size,
    message:
        "guide iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}, shard {wildcards.shard}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.python} scripts/gsi_guide.py --problems {input.problems} --plain {input.plain} --model {input.model}"
        " --base {input.base} --prompts {params.prompts} --t {wildcards.t} --rules {params.rules:q}"
        " --engine {params.engine:q} --teacher={params.teacher:q} --limits {params.limits:q} --seed {wildcards.seed}"
        " --shard {wildcards.shard} --shard-size {params.shard_size}"
        " --graded {output.graded} --usage {output.usage} 2> {log}"


rule gsi_select:
    """Make the training set of iteration t from the draws of the one before."""
    input:
        problems="<results>/problems/train.parquet",
        plain=lambda w: graded_of(w, "plain", int(w.t) - 1),
        guided=lambda w: graded_of(w, "guided", int(w.t) - 1),
        paid=paid_by,
        further=further_sets,
        prompt="<prompts>/plain.jinja",
    output:
        train="<results>/gsi/{variant}/s{seed}/sft/{t}.train.jsonl",
        sampled="<results>/gsi/{variant}/s{seed}/sampled/{t}.parquet",
        questions="<results>/gsi/{variant}/s{seed}/questions/{t}.parquet",
        rejects="<results>/gsi/{variant}/s{seed}/sft/{t}.rejects.parquet",
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
        rules=lambda w: as_json(gsi_select_rules(w)),
    message:
        "select the rows of iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/gsi_select.py --problems {input.problems} --plain {input.plain} --guided {input.guided}"
        " --paid {input.paid} --further {input.further} --prompt {input.prompt} --rules {params.rules:q}"
        " --seed {wildcards.seed} --train {output.train} --sampled {output.sampled} --questions {output.questions}"
        " --rejects {output.rejects} 2> {log}"


rule gsi_perplexity:
    """Let the base say how probable it finds a training set."""
    input:
        train="<results>/gsi/{variant}/s{seed}/sft/{t}.train.jsonl",
        model="<results>/models/base/manifest.json",
    output:
        perplexities="<results>/gsi/{variant}/s{seed}/perplexity/{t}.parquet",
    log:
        "<logs>/gsi_perplexity/{variant}.s{seed}.{t}.log",
    benchmark:
        "<benchmarks>/gsi_perplexity/{variant}.s{seed}.{t}.jsonl"
    conda:
        "../envs/sampling.yaml"
    threads: SETTINGS.compute.threads
    resources:
        gpu=gpus,
        mem_mb=scaled(SETTINGS.compute.mem_mb),
        runtime=scaled(120),
    params:
        *code_of("gsi_perplexity"),
        engine=trained_engine,
        python=engine_python,
    message:
        "perplexity of the rows of iteration {wildcards.t}, variant {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python scripts/with_gpus.py {resources.gpu}"
        " {params.python} scripts/gsi_perplexity.py --train {input.train} --model {input.model}"
        " --engine {params.engine:q} --perplexities {output.perplexities} 2> {log}"


rule gsi_tail:
    """Measure what became of the hard questions in a training set."""
    input:
        problems="<results>/problems/train.parquet",
        train="<results>/gsi/{variant}/s{seed}/sft/{t}.train.jsonl",
        references=lambda w: set_of(w, 0),
        perplexities="<results>/gsi/{variant}/s{seed}/perplexity/{t}.parquet",
        first=lambda w: graded_of(w, "plain", 0),
        sampled=lambda w: [f"<results>/gsi/{w.variant}/s{w.seed}/sampled/{w.t}.parquet"] if int(w.t) else [],
        questions=lambda w: [f"<results>/gsi/{w.variant}/s{w.seed}/questions/{w.t}.parquet"] if int(w.t) else [],
    output:
        tail="<results>/gsi/{variant}/s{seed}/tail/{t}.parquet",
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
        "python scripts/gsi_tail.py --problems {input.problems} --train {input.train} --references {input.references}"
        " --perplexities {input.perplexities} --first {input.first} --sampled '{input.sampled}'"
        " --questions '{input.questions}' --tail {output.tail} 2> {log}"


rule gsi_audit:
    """Compare our verifier with the released one on the plain draws of iteration 0."""
    input:
        graded=lambda w: graded_of(w, "plain", 0),
        problems="<results>/problems/train.parquet",
    output:
        audit="<results>/gsi/{variant}/s{seed}/audit.parquet",
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
        "python scripts/gsi_audit.py --graded {input.graded} --problems {input.problems} --audit {output.audit} 2> {log}"


include: "gsi_report.smk"


rule gsi:
    """The models of all iterations and variants."""
    input:
        [f"<results>/models/{model}/manifest.json" for model in models(SETTINGS)],
