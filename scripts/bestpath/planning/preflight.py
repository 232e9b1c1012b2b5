"""Checks that cost nothing and are made before the first job: what would fail hours later fails now."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bestpath.catalog import METHODS, Experiment
from bestpath.core import prompts
from bestpath.core.errors import UserError, nearest
from bestpath.core.models import check_folder, parameters
from bestpath.core.systems import BASE
from bestpath.planning.disk import planned_bytes
from bestpath.planning.wiring import TRAINED, Wiring
from bestpath.settings.common import Common, Source
from bestpath.settings.endpoint import Endpoint
from bestpath.stages.embedded.lessons import lessons_of

VLLM_PYTHON = ".venv-vllm/bin/python"


def check(experiment: Experiment, root: Path = Path(".")) -> None:
    """Check what a configuration needs. Raises UserError with the cause and the remedy."""
    settings = experiment.settings
    _check_sources(settings, root)
    _check_methods(experiment)
    _check_models(experiment, root)
    _check_prompts(experiment, root)
    _check_taught(experiment, root)
    _check_folder(root / "results")
    _check_disk(experiment, root)


def _check_methods(experiment: Experiment) -> None:
    """Whether what methods name is there: lessons, data sets, and who plays their roles."""
    settings = experiment.settings
    known = lessons_of([method.lessons for method in METHODS.values() if method.lessons])
    for lesson in settings.embedded.lessons if settings.is_embedded else []:
        if lesson not in known:
            hint = nearest(lesson, known) or ", ".join(sorted(known))
            raise UserError(f"setting 'embedded.lessons' names the unknown lesson '{lesson}'; did you mean {hint}?")
    for name, method in experiment.methods.items():
        for dataset in experiment.section(name).train_on:
            if dataset not in settings.sources():
                named = ", ".join(settings.sources())
                raise UserError(
                    f"setting 'methods.{name}.train_on' names '{dataset}', which is no data set; there are {named}"
                )
        for variant in experiment.variants(name):
            needed = method.taught(settings, experiment.own[name, variant]) if settings.is_embedded else ()
            for lesson in needed:
                if lesson not in settings.embedded.lessons:
                    raise UserError(
                        f"the method {name} needs the lesson '{lesson}', which the embedded base is not taught; add it "
                        "to 'embedded.lessons'"
                    )
            for role in experiment.roles(name, variant):
                _check_player(experiment, name, variant, role)


def _check_player(experiment: Experiment, method: str, variant: str, role: str) -> None:
    player = experiment.player(method, variant, role)
    models = experiment.settings.models
    if player is None:
        raise UserError(
            f"nobody plays the role '{role}' of {method}; describe a model in 'models' and name it in "
            f"'methods.{method}.roles.{role}', or name the entry like the role"
        )
    if player not in models and player != TRAINED:
        hint = nearest(player, models) or ", ".join(models)
        raise UserError(
            f"setting 'methods.{method}.roles.{role}' names '{player}', which is no entry of 'models'; there is {hint}"
        )


def _check_sources(settings: Common, root: Path) -> None:
    sources = {"problems.train": settings.problems.train}
    sources |= {f"problems.others.{name}": source for name, source in settings.problems.others.items()}
    sources |= {f"evaluation.sets.{name}": source for name, source in settings.evaluation.sets.items()}
    for key, source in sources.items():
        if source.path.startswith("embedded:"):
            if source.path not in {"embedded:train", "embedded:test"}:
                raise UserError(f"setting '{key}.path' is '{source.path}'; write embedded:train or embedded:test")
            if not settings.is_embedded:
                raise UserError(f"setting '{key}.path' is '{source.path}', but the model is not the embedded one")
        elif _is_file_name(source) and not (root / source.path).is_file():
            raise UserError(f"setting '{key}.path' names {source.path}, which is not there; correct the path")
    for key in ("problems.train", *(f"problems.others.{name}" for name in settings.problems.others)):
        if sources[key].n is None and not sources[key].path.startswith("embedded:"):
            raise UserError(f"setting '{key}.n' is missing; say how many problems to draw, so that jobs can be planned")
    for reserved in {"train", "dev"} & settings.evaluation.sets.keys():
        raise UserError(f"setting 'evaluation.sets.{reserved}' uses a reserved name; rename the evaluation set")


def _is_file_name(source: Source) -> bool:
    return Path(source.path).suffix in {".jsonl", ".json", ".csv", ".parquet"}


def _check_prompts(experiment: Experiment, root: Path) -> None:
    for name, method in experiment.methods.items():
        folder = Path(experiment.prompt_folder(name))
        for prompt in sorted({*method.prompts, *experiment.section(name).base_prompts}):
            path = folder / f"{prompt}.jinja"
            fields = method.prompts.get(prompt, ("problem",))
            prompts.load(root / path if not root.samefile(".") else path, fields)


def _check_taught(experiment: Experiment, root: Path) -> None:
    """Whether the embedded base is taught every method's plain prompt: by a lesson of that method or of another."""
    if not experiment.settings.is_embedded:
        return
    taught = {(root / path).read_text("utf-8") for path in Wiring(experiment).lesson_prompts().values()}
    for name, method in experiment.methods.items():
        plain = f"{experiment.prompt_folder(name)}/{method.plain}.jinja"
        if (root / plain).read_text("utf-8") not in taught:
            known = ", ".join(lessons_of([other.lessons for other in METHODS.values() if other.lessons]))
            raise UserError(
                f"the embedded base is not taught {plain}, the plain prompt of {name}; add a lesson that has this "
                f"prompt to 'embedded.lessons' (the lessons are {known}), or write one"
            )


def _check_models(experiment: Experiment, root: Path) -> None:
    """Whether every model can be had, and an endpoint is fully named and can do what it will be asked."""
    settings = experiment.settings
    for name, entry in settings.models.items():
        if entry.endpoint:
            _check_address(f"models.{name}.endpoint", entry.endpoint)
        if name != BASE and entry.source == "embedded":
            raise UserError(f"setting 'models.{name}.source' is embedded, which only the base can be; leave it out")
        if entry.source and (root / entry.source).is_dir():
            check_folder(root / entry.source)
    endpoint = settings.base.endpoint
    for name, decoding in settings.evaluation.decodings.items():
        if endpoint and decoding.top_k and not endpoint.takes_top_k:
            raise UserError(
                f"setting 'evaluation.decodings.{name}.top_k' is {decoding.top_k}, which not every endpoint takes; "
                "set 'models.base.endpoint.takes_top_k' if this one does, or write top_k: 0"
            )


def _check_address(key: str, endpoint: Endpoint) -> None:
    if not re.fullmatch(r"https?://([\w.-]+|\[[\da-fA-F:]+\])(:\d+)?(/[\w./-]*)?", endpoint.url):
        raise UserError(  # without the value: it may hold a password
            f"setting '{key}.url' is no plain base address such as https://api.openai.com/v1; correct it, "
            f"and put a key into an environment variable that '{key}.key_variable' names"
        )
    if endpoint.key_variable is not None and not re.fullmatch("[A-Z_][A-Z0-9_]*", endpoint.key_variable):
        raise UserError(  # without the value: it may be the key
            f"setting '{key}.key_variable' is not the name of an environment variable in capitals, such "
            "as OPENAI_API_KEY; it must never be the key itself"
        )


def check_endpoint(endpoint: Endpoint, setting: str = "models.base.endpoint") -> None:
    """Ask an endpoint for its models: costs nothing. Raises UserError when it is out of reach or refuses the key.

    `setting` names it. A model that it does not list is only a warning: some servers list none, or know others by an
    alias.
    """
    import httpx2

    variable = endpoint.key_variable
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise UserError(f"the environment variable {variable} is not set; put the endpoint's key into it")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        response = httpx2.get(f"{endpoint.url.rstrip('/')}/models", headers=headers, timeout=20)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UserError(
            f"the endpoint at {endpoint.url} is out of reach ({type(error).__name__}); correct "
            f"'{setting}.url', or start the server"
        ) from None
    if response.status_code in (401, 403):
        wanted = f"refuses the key in {variable}; set a valid one" if variable else "asks for a key; name its variable"
        raise UserError(f"the endpoint at {endpoint.url} {wanted} ({setting}.key_variable)")
    with suppress(ValueError, TypeError, KeyError):  # not every server lists its models
        names = [model["id"] for model in response.json()["data"]]
        if endpoint.model not in names:
            hint = nearest(endpoint.model, names) or ", ".join(names[:5])
            print(
                f"warning: the endpoint at {endpoint.url} does not list the model '{endpoint.model}' "
                f"({setting}.model); it has {hint}",
                file=sys.stderr,
            )


def _check_folder(results: Path) -> None:
    """Results must be writable; `results` itself may not exist yet."""
    existing = next(folder for folder in [results, *results.absolute().parents] if os.path.lexists(folder))
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"the results folder {existing} is not writable ({error.strerror}); make it writable or run elsewhere"
        ) from None


def _check_disk(experiment: Experiment, root: Path) -> None:
    """There must be room for everything planned; nothing is known of a model that is still on a hub."""
    folder = root / (experiment.settings.base.source or "")
    needed = planned_bytes(experiment, parameters(folder)) if (folder / "config.json").is_file() else 0
    free = shutil.disk_usage(root).free
    if needed > free:
        raise UserError(
            f"the planned checkpoints and models need about {_gigabytes(needed)} of disk, but {_gigabytes(free)} is "
            "free; free some space, or plan fewer variants, seeds, learning rates or merges"
        )


def _gigabytes(n: float) -> str:
    return f"{n / 1e9:,.1f} GB"


def check_targets(experiment: Experiment, arguments: Sequence[str]) -> None:
    """Check that a method that is asked for on the command line is one that the configuration names."""
    for target in arguments:
        if target in METHODS and target not in experiment.methods:
            named = ", ".join(experiment.methods)
            raise UserError(
                f"the target is {target}, but the configuration runs {named}; add --configfile config/{target}.yaml, "
                "or name it in 'methods'"
            )


def check_gpus(experiment: Experiment, workflow: Any) -> None:
    """Check that a job may have the GPUs it asks for: Snakemake gives it fewer without a word."""
    limit = workflow.global_resources.get("gpu")
    settings = experiment.settings
    asked = {"compute.gpus": settings.compute.gpus}
    asked |= {f"models.{name}.gpus": entry.gpus for name, entry in settings.models.items() if entry.gpus is not None}
    for key, gpus in asked.items():
        if limit is not None and limit.value is not None and limit.value < gpus:
            raise UserError(
                f"setting '{key}' asks for {gpus} GPUs a job, but this run may use {limit.value}; "
                f"add --resources gpu={gpus}, or more for several jobs at once"
            )


def uses_conda(workflow: Any) -> bool:
    """Whether Snakemake runs the jobs in conda environments of their own."""
    methods = getattr(workflow.deployment_settings, "deployment_method", None) or ()
    return any("conda" in str(method).lower() for method in methods)


def engine_python(wiring: Wiring, root: Path = Path(".")) -> str:
    """The Python of programs that generate, where jobs do not run in conda environments.

    Raises UserError when the configured engine is installed nowhere.
    """
    if not wiring.uses_vllm() or find_spec("vllm"):
        return "python"
    if not (root / VLLM_PYTHON).exists():
        raise UserError(
            "the engine vllm is asked for, which is not installed here; run `make vllm` for vLLM on a CPU, or "
            "snakemake with --sdm conda for vLLM on GPUs"
        )
    return VLLM_PYTHON


def hold_lock(folder: Path) -> None:
    """Keep other runs out of this folder for as long as this process lives. Raises UserError when one is in.

    Snakemake's own locks outlive a killed run; this one ends with its process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(descriptor, False)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UserError("another run is under way in this folder; wait for it to end, or stop it") from None
