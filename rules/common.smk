# What the other files here use: the checked settings, and what is asked of the declarations of the methods.
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from bestpath.catalog import Experiment
from bestpath.core.errors import UserError
from bestpath.core.provenance import code_of
from bestpath.planning import preflight
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring, as_argument, scaled
from bestpath.runtime import resume
from bestpath.stages.generation.engines import modules_of

WORK = Path("results") / ".work"
BASE_MODEL = "<results>/models/base/manifest.json"
TRAINER = "python scripts/with_gpus.py {resources.gpu} {params.launcher}"  # what starts a training script

# Snakemake lists the file named in the Snakefile after the overlays that are laid over it.
*OVERLAYS, DEFAULTS = workflow.configfiles

try:
    SETTINGS = load(config, [DEFAULTS, *OVERLAYS])
    EXPERIMENT = Experiment(SETTINGS)
    WIRING = Wiring(EXPERIMENT)
    preflight.check(EXPERIMENT)
    preflight.check_gpus(EXPERIMENT, workflow)
    preflight.check_targets(EXPERIMENT, sys.argv[1:])
    # a dry run needs no engine: a cluster's run is planned on any machine
    elsewhere = preflight.uses_conda(workflow) or workflow.output_settings.dryrun
    ENGINE_PYTHON = "python" if elsewhere else preflight.engine_python(WIRING)
except UserError as error:
    sys.exit(f"error: {error}")

# One job at a time asks an endpoint, with all its slots: so the limits a minute hold for the whole run.
for server in WIRING.servers():
    workflow.register_resource(f"server_{server}", 1)

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


def begin_run():
    """Before the first job: keep other runs out of this folder, and ask the endpoints for their models if a job needs
    them.
    """
    try:
        preflight.hold_lock(WORK)
        jobs = list(workflow.dag.needrun_jobs())
        for name, entry in EXPERIMENT.endpoints().items():
            if any(job.resources.get(f"server_{name}") for job in jobs):
                preflight.check_endpoint(entry.endpoint, f"models.{name}.endpoint")
    except UserError as error:
        sys.exit(f"error: {error}")
    # Its limit on jobs a second lets every look of Snakemake at the ready jobs cause another one, for ever: a tenth of a core
    # after a hundred jobs. Jobs of this machine need none.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def engine_python(wildcards, threads):
    """The Python of a script that generates: vLLM brings a torch of its own.

    Snakemake does not compare parameters that may depend on `threads`, so a change of Python makes nothing stale.
    """
    return ENGINE_PYTHON


def command(script, inputs="", params="", wildcards="", outputs="", models=False, launcher="python"):
    """The command line of a rule's script: its options are named as the rule's inputs, parameters, wildcards and outputs.

    A script that asks `models` runs on leased GPUs and is told who plays which role.
    """
    groups = {"input": inputs, "params": params, "wildcards": wildcards, "output": outputs}
    options = [
        f"--{name.replace('_', '-')} {{{group}.{name}:q}}" for group, names in groups.items() for name in names.split()
    ]
    start = f"{launcher} scripts/{script}.py"
    if models:
        start = f"python scripts/with_gpus.py {{resources.gpu}} {{params.python}} scripts/{script}.py"
        options = ["--models {params.models:q}", "--engines {params.engines:q}", "--limits {params.limits:q}", *options]
    return " ".join([start, *options, "2> {log}"])
