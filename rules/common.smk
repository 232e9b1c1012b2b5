# What the other files here use: the checked settings, and short names for the questions that are asked of them.
import json
import os
import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from bestpath import plan
from bestpath.planning import preflight
from bestpath.runtime import resume
from bestpath.planning.configuration import load
from bestpath.core.errors import UserError
from bestpath.plan import PLAIN_PROMPT, decodings, models, system_of, variants
from bestpath.core.provenance import code_of

WORK = Path("results") / ".work"

# Snakemake lists the file named in the Snakefile after the overlays that are laid over it.
*OVERLAYS, DEFAULTS = workflow.configfiles

try:
    SETTINGS = load(config, [DEFAULTS, *OVERLAYS])
    preflight.check(SETTINGS)
    preflight.check_gpus(SETTINGS, workflow)
    preflight.check_targets(SETTINGS, sys.argv[1:])
    # a dry run needs no engine: a cluster's run is planned on any machine
    elsewhere = preflight.uses_conda(workflow) or workflow.output_settings.dryrun
    ENGINE_PYTHON = "python" if elsewhere else preflight.engine_python(SETTINGS)
except UserError as error:
    sys.exit(f"error: {error}")

# One job at a time asks an endpoint, with all its slots: so the limits a minute hold for the whole run.
workflow.register_resource("endpoint", 1)

# Jobs run offline unless told otherwise, and threads that wait do not burn the cores of others.
# Without conda, they run in the environment that runs Snakemake. A shell that traps SIGTERM lives until its program has
# saved its work; the devices of a job that a cluster's scheduler started are its own.
shell.prefix(
    "trap : TERM; "
    "export OMP_WAIT_POLICY=PASSIVE HF_HUB_OFFLINE=${{HF_HUB_OFFLINE:-1}} HF_HUB_DISABLE_TELEMETRY=1 "
    "TOKENIZERS_PARALLELISM=false DO_NOT_TRACK=1 BESTPATH_PROGRESS_FD=3 "
    f"BESTPATH_RUN_PID={os.getpid()}; exec 3>&2; "
    + ("export BESTPATH_SCHEDULED=1; " if workflow.remote_exec else "")
    + ("" if preflight.uses_conda(workflow) else f'export PATH="{Path(sys.executable).parent}:$PATH"; ')
)


def as_json(value):
    """Settings as one argument of a program, always written the same way."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return json.dumps(value, sort_keys=True)


def shards():
    """The names of the training problems' shards."""
    n = sum(source.n or SETTINGS.embedded.pool for source in sources().values())
    return [f"{i:05d}" for i in range(-(-n // SETTINGS.problems.shard_size))]


def sources():
    """Where the training problems come from, by the name of the data set."""
    return {"train": SETTINGS.problems.train, **SETTINGS.problems.others}


def asks_endpoint(wildcards):
    """1 if a job asks an endpoint, which plays the base model only, else 0."""
    return int(SETTINGS.generation.engine == "endpoint" and wildcards.get("model", "base") == "base")


def begin_run():
    """Before the first job: keep other runs out of this folder, and ask the endpoint for its models if a job needs it."""
    try:
        preflight.hold_lock(WORK)
        if any(job.resources.get("endpoint") for job in workflow.dag.needrun_jobs()):
            for key, endpoint in plan.endpoints(SETTINGS).items():
                preflight.check_endpoint(endpoint, key)
    except UserError as error:
        sys.exit(f"error: {error}")


def engine_settings(wildcards=None):
    """What sampling depends on besides the model and the prompts; without wildcards, for a model just trained."""
    if wildcards is not None and asks_endpoint(wildcards):
        return as_json({"engine": "endpoint", **SETTINGS.generation.endpoint.server()})
    generation = {"engine": "transformers", "slots": SETTINGS.generation.slots}
    if wildcards is not None and SETTINGS.generation.engine == "vllm":
        generation |= {"engine": "vllm", "vllm": SETTINGS.generation.vllm.model_dump()}
    model = SETTINGS.model.model_dump(include={"dtype", "context", "trust_remote_code"})
    device = {
        "device": SETTINGS.compute.runs_on(),
        "threads": SETTINGS.compute.threads,
    }
    return as_json({**generation, **model, **device})


def engine_limits(wildcards, resources):
    """How an endpoint is asked. Snakemake re-runs nothing for what a function makes that takes `resources`."""
    if not asks_endpoint(wildcards):
        return "{}"
    return as_json({"slots": SETTINGS.generation.slots, **SETTINGS.generation.endpoint.limits()})


def engine_python(wildcards, threads):
    """The Python of a program that generates: vLLM brings a torch of its own.

    Snakemake does not compare parameters that may depend on `threads`, so another Python stales nothing.
    """
    return ENGINE_PYTHON


def launcher(wildcards, input, threads):
    """What runs a training program: Python, or accelerate with a process a device; not compared, either."""
    on_cpu = SETTINGS.compute.runs_on() == "cpu"
    n = SETTINGS.compute.processes if on_cpu else SETTINGS.compute.gpus
    if n * SETTINGS.compute.nodes == 1 and not input.deepspeed:
        return "python"
    options = [f"--zero {input.deepspeed}"] * bool(input.deepspeed) + ["--cpu"] * on_cpu
    return " ".join(["python scripts/with_processes.py", *options, str(n)])


def training_devices():
    """The devices of a training job; across nodes, Slurm is told how many a node (`gpu` would count processes, too)."""
    n, nodes = SETTINGS.compute.gpus, SETTINGS.compute.nodes
    if nodes == 1:
        return {"gpu": n}
    extra = f"--gpus-per-node={n} --signal=TERM@120"
    return {"gpu": 0, "nodes": nodes, "tasks": nodes, "slurm_extra": f"'{extra}'"}


def gpus(wildcards):
    """GPUs a job on models asks for; 0 on the embedded scale."""
    return SETTINGS.compute.gpus


def scaled(amount):
    """More of a resource with every attempt, for jobs that ran out of it."""
    return lambda wildcards, attempt: amount * attempt


def sampling_gpus(wildcards):
    """GPUs a job asks for that samples from a model, here or at an endpoint."""
    return 0 if asks_endpoint(wildcards) else gpus(wildcards)


def systems(set_name):
    """What is evaluated on a set, as (model, prompt): the base under every prompt, each other model once.

    Choices among merges are made on the dev split, so merges and the base are evaluated there, too.
    """
    plain = PLAIN_PROMPT[SETTINGS.method]
    if set_name == "dev":
        return [("base", plain), *((model, plain) for model in models(SETTINGS, merges_only=True))]
    base = [("base", prompt) for prompt in SETTINGS.evaluation.base_prompts]
    return [*base, *((model, plain) for model in models(SETTINGS))]
