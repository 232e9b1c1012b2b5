"""What the rules of the workflow ask: their inputs, parameters and resources, from the declarations of the methods.

The .smk files only declare; each function here that they use is given to Snakemake as it is, or returns a function of a
job's wildcards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bestpath.catalog import METHODS, Experiment, Settings, Trained, pattern_of
from bestpath.core.declarations import Need
from bestpath.core.provenance import code_of
from bestpath.core.systems import BASE, System
from bestpath.settings.common import Source
from bestpath.settings.models import Model
from bestpath.stages.embedded.lessons import lessons_of
from bestpath.stages.evaluation import readers
from bestpath.stages.generation.engines import modules_of
from bestpath.stages.generation.options import sandbox_modules

TRAINED = "trained"
"""Stands for the name of a model that a method trains, which is like the base and behind no endpoint."""

Wildcards = Any
OfJob = Callable[[Wildcards], Any]


def as_argument(value: Any) -> Any:
    """Settings as one argument of a program, always written the same way; scalars and lists of them as they are."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    plain = isinstance(value, list) and not any(isinstance(part, Mapping | list) for part in value)
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping | list) and not plain else value


@dataclass(frozen=True)
class Wiring:
    """One experiment as its rules see it."""

    experiment: Experiment

    @property
    def results(self) -> str:
        """The folder of the experiment."""
        return f"results/{self.experiment.settings.experiment}"

    def of(self, method: str) -> MethodWiring:
        """One method as its rules see it."""
        return MethodWiring(self, method)

    # --- problems ---

    def shards(self, method: str) -> list[str]:
        """The names of the shards of the problems that a method trains on: fixed ranges of rows."""
        settings = self.experiment.settings
        n = sum(settings.embedded.pool if source.n is None else source.n for source in self.sources(method).values())
        return [f"{i:05d}" for i in range(-(-n // settings.problems.shard_size))]

    def sources(self, method: str) -> dict[str, Any]:
        """The data sets that a method trains on."""
        chosen, every = self.experiment.section(method).train_on, self.experiment.settings.sources()
        return {name: source for name, source in every.items() if not chosen or name in chosen}

    def problems(self, method: str) -> str:
        """The problems that a method trains on: all, or its choice of them."""
        whole = self.sources(method).keys() == self.experiment.settings.sources().keys()
        return f"{self.results}/problems/train.parquet" if whole else f"{self.results}/{method}/problems.parquet"

    # --- models ---

    def manifest(self, name: str) -> str:
        """The manifest of a model by its name; an entry without a source of its own has the base's files."""
        entry = self.experiment.settings.models.get(name)
        return f"{self.results}/models/{BASE if entry and entry.source is None else name}/manifest.json"

    def engine(self, name: str, *, trainer: bool = False, scores: bool = False) -> dict[str, Any]:
        """What the answers of a model depend on besides its weights and the prompts.

        Beside a trainer it is always on transformers; to score, it is never behind an endpoint.
        """
        settings, entry = self.experiment.settings, self.experiment.model_of(name)
        if entry.endpoint and not (trainer or scores):
            return {"engine": "endpoint", **entry.endpoint.server()}
        engine = "transformers" if trainer else entry.engine or settings.generation.engine
        found: dict[str, Any] = {"engine": engine, "slots": entry.slots or settings.generation.slots}
        if engine == "vllm":
            vllm = settings.generation.vllm.model_dump()
            own = {"tensor_parallel": entry.tensor_parallel, "gpu_memory": entry.gpu_memory}
            found["vllm"] = vllm | {key: value for key, value in own.items() if value is not None}
        device = {"device": settings.compute.runs_on(), "threads": settings.compute.threads}
        return found | entry.model_dump(include={"dtype", "context", "trust_remote_code"}) | device

    def limits(self, name: str) -> dict[str, Any]:
        """How an endpoint is asked, on which no answer depends; nothing for a model that runs here."""
        entry = self.experiment.model_of(name)
        if not entry.endpoint:
            return {}
        return {"slots": entry.slots or self.experiment.settings.generation.slots, **entry.endpoint.limits()}

    def servers(self) -> list[str]:
        """The entries behind endpoints: one job at a time asks each, so that its limits a minute hold for a run."""
        return [name for name, entry in self.experiment.settings.models.items() if entry.endpoint]

    def uses_vllm(self) -> bool:
        """Whether any model here runs on vLLM, whose environment has a torch of its own."""
        settings = self.experiment.settings
        return any((entry.engine or settings.generation.engine) == "vllm" for entry in settings.models.values())

    def imported(self) -> str:
        """The entries of `models` that are taken from a folder or a hub, as a pattern."""
        entries = self.experiment.settings.models.items()
        names = [re.escape(name) for name, entry in entries if entry.source not in {None, "embedded"}]
        return "|".join(names) or "none"

    def folder_of(self, name: str) -> str | list[str]:
        """The folder that an entry of `models` names; none for a hub id."""
        source = self.experiment.settings.models[name].source or ""
        return source if Path(source).is_dir() else []

    # --- resources ---

    def training_devices(self, minutes: int) -> dict[str, Any]:
        """The resources of a training job; across nodes, Slurm is told how many GPUs a node (`gpu` would count
        processes, too).
        """
        compute = self.experiment.settings.compute
        rest = {"mem_mb": scaled(compute.mem_mb), "runtime": scaled(minutes)}
        if compute.nodes == 1:
            return {"gpu": compute.gpus, **rest}
        extra = f"--gpus-per-node={compute.gpus} --signal=TERM@120"
        return {"gpu": 0, "nodes": compute.nodes, "tasks": compute.nodes, "slurm_extra": f"'{extra}'", **rest}

    def launcher(self, wildcards: Wildcards, input: Any, threads: int) -> str:
        """What runs a training program: Python, or accelerate with a process a device.

        Snakemake does not compare parameters that may depend on `threads`, so another one stales nothing.
        """
        compute = self.experiment.settings.compute
        on_cpu = compute.runs_on() == "cpu"
        n = compute.processes if on_cpu else compute.gpus
        if n * compute.nodes == 1 and not input.deepspeed:
            return "python"
        options = [f"--zero {input.deepspeed}"] * bool(input.deepspeed) + ["--cpu"] * on_cpu
        return " ".join(["python scripts/with_processes.py", *options, str(n)])

    # --- training ---

    def training(self, wildcards: Wildcards) -> Any:
        """How the model of a training job is made."""
        return self.experiment.training(wildcards.method, wildcards.variant, wildcards.specialist)

    def recipe(self, stage: str) -> OfJob:
        """All settings of a training job (stage train), or of its reference log-probabilities, but rate and seed."""

        def recipe(wildcards: Wildcards) -> str:
            settings = self.experiment.settings_of(wildcards.method, wildcards.variant, stage, wildcards.specialist)
            values = dict(settings["recipe"])
            lora = values.pop("lora")
            base = self.experiment.settings.base
            return json.dumps(
                values
                | {f"lora_{'rank' if key == 'r' else key}": value for key, value in lora.items()}
                | {"precision": base.dtype, "trust_remote_code": base.trust_remote_code},
                sort_keys=True,
            )

        return recipe

    def train_needs(self, stage: str) -> OfJob:
        """The training and dev rows of a training job, and the model that it starts from."""

        def inputs(wildcards: Wildcards) -> dict[str, str]:
            needs = self.experiment.needs_of(wildcards.method, wildcards.variant, stage, wildcards.specialist)
            paths = {name: self.of(wildcards.method).paths(need, wildcards)[0] for name, [need] in needs.items()}
            return {"start": self.manifest(BASE), **paths}

        return inputs

    def lineage(self) -> str:
        """What is known of where the base comes from."""
        return json.dumps(self.experiment.settings.base.lineage.model_dump(), sort_keys=True)

    def plain_prompt(self, wildcards: Wildcards) -> str:
        """The plain prompt of a job's method."""
        return self.of(wildcards.method).prompt(self.experiment.methods[wildcards.method].plain)

    def deepspeed(self, wildcards: Wildcards) -> str | list[str]:
        """DeepSpeed's configuration, if a model is trained under ZeRO."""
        zero = self.training(wildcards).recipe["zero"]
        return f"config/deepspeed/zero{zero}.json" if zero else []

    def rates(self, wildcards: Wildcards) -> list[str]:
        """The learning rates to try, as they stand in paths."""
        return [f"{rate:g}" for rate in self.training(wildcards).rates]

    def reference(self, wildcards: Wildcards) -> str | list[str]:
        """The reference log-probabilities of a model's training rows, if its objective needs them."""
        if self.training(wildcards).reference is None:
            return []
        need = Need("reference", "reference", wildcards.specialist)
        return self.of(wildcards.method).paths(need, wildcards)[0]

    def criterion(self, wildcards: Wildcards) -> str:
        """What the dev split chooses a checkpoint by; `last` where it does not."""
        training = self.training(wildcards)
        return "last" if training.select == "last" else str(training.criterion)

    def tried(self, file: str) -> OfJob:
        """A file of the training runs of a model, one a learning rate."""

        def tried(wildcards: Wildcards) -> list[str]:
            w = wildcards
            folder = f"{self.results}/{w.method}/{w.variant}/s{w.seed}/train/{w.specialist}"
            return [f"{folder}/{rate}/{file}" for rate in self.rates(w)]

        return tried

    def items(self, stage: str) -> str:
        """The names of the models that a stage makes, as a pattern."""
        found = set()
        for (method, _), own in self.experiment.own.items():
            declared = self.experiment.methods[method]
            items = {"train": declared.trained, "merge": declared.merged}[stage]
            found |= set(items(self.experiment.settings, own))
        return "|".join(map(re.escape, sorted(found))) or "none"

    def merge_settings(self, name: str) -> OfJob:
        """A setting of a merge, as an argument of its program."""

        def setting(wildcards: Wildcards) -> Any:
            w = wildcards
            return as_argument(self.experiment.settings_of(w.method, w.variant, "merge", w.merge)[name])

        return setting

    def parents(self, wildcards: Wildcards) -> dict[str, str]:
        """The manifests of a merge's parents, by their items."""
        merging = self.experiment.merging(wildcards.method, wildcards.variant, wildcards.merge)
        wiring = self.of(wildcards.method)
        return {item: wiring.paths(Need("train", "model", item), wildcards)[0] for item in merging.parents}

    # --- the embedded world ---

    def world(self) -> str:
        """What the problems of the embedded language are like."""
        include = {"operations", "largest", "levels", "level_weights", "rare"}
        return json.dumps(self.experiment.settings.embedded.model_dump(include=include), sort_keys=True)

    def course(self) -> str:
        """How the embedded base is pretrained."""
        include = {"depth", "steps", "batch", "learning_rate", "muon_dtype"}
        return json.dumps(self.experiment.settings.embedded.model_dump(include=include), sort_keys=True)

    def lesson_modules(self) -> list[str]:
        """The modules of the lessons that the embedded base is taught."""
        taught = self.experiment.settings.embedded.lessons
        modules = [method.lessons for method in METHODS.values() if method.lessons]
        return [module for module in modules if not lessons_of([module]).keys().isdisjoint(taught)]

    def lesson_prompts(self) -> dict[str, str]:
        """The prompt templates of the lessons, by `lesson/prompt`."""
        lessons = lessons_of(self.lesson_modules())
        return {
            f"{name}/{prompt}": f"config/prompts/{name}/{prompt}.jinja"
            for name in self.experiment.settings.embedded.lessons
            for prompt in lessons[name]
        }

    # --- sources of problems ---

    def file_of(self, source: Source) -> str | list[str]:
        """The file behind a source: made by the embedded world, given by the user, or none for a hub id."""
        if source.path.startswith("embedded:"):
            return f"{self.results}/embedded/{source.path.removeprefix('embedded:')}.jsonl"
        return source.path if Path(source.path).exists() else []

    def source(self, source: Source, name: str) -> dict[str, Any]:
        """What reading and drawing problems depends on: the settings, the name of the data set, and its file if any."""
        settings = source.model_dump(exclude={"samples", "name"})
        return {**settings, "dataset": source.name or name, "file": self.file_of(source) or ""}

    # --- evaluation ---

    def system(self, wildcards: Wildcards) -> System:
        """The system that a job answers or grades with."""
        return self.experiment.systems[wildcards.system]

    def answering(self) -> Players:
        """The models of systems."""

        def players(wildcards: Wildcards) -> dict[str, tuple[str, str]]:
            roles = self.system(wildcards).roles
            return {role: (name, self.manifest(name)) for role, name in roles.items()}

        return Players(self, players)

    def isolation(self, wildcards: Wildcards, resources: Any) -> str:
        """The weakest isolation in which a system's programs may run. Nothing is made anew for it."""
        return self.system(wildcards).isolation

    def reader_code(self, wildcards: Wildcards) -> list[str]:
        """The code of grading what a system put out."""
        return code_of("evaluate_grade", *readers.modules_of(self.system(wildcards).reader))

    def answerer(self, wildcards: Wildcards) -> list[str]:
        """The module of a system's answerer, if it is a method's own."""
        module, _, function = self.system(wildcards).answerer.partition(":")
        return [module] if function else []

    def problems_of(self, wildcards: Wildcards) -> str:
        """The problems of an evaluation set; `dev` is a part of the training problems."""
        name = "train" if wildcards.set == "dev" else wildcards.set
        return f"{self.results}/problems/{name}.parquet"

    def scores(self, system: System, set_name: str) -> str:
        """The verdicts on a system's answers to a set: graded, or for a derived system computed by its method."""
        return system.scores.get(set_name) or f"{self.results}/evaluate/{system.id}/{set_name}.scores.parquet"

    def decodings(self, set_name: str) -> dict[str, dict[str, Any]]:
        """The decodings of an evaluation set, by name; choices on the dev split are made on greedy answers."""
        evaluation = self.experiment.settings.evaluation
        if set_name == "dev":
            return {"greedy": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "samples": 1}}
        chosen = {name: decoding.model_dump() for name, decoding in evaluation.decodings.items()}
        samples = evaluation.sets[set_name].samples
        for decoding in chosen.values():
            if samples and decoding["temperature"] > 0:
                decoding["samples"] = samples
        return chosen

    def evaluated(self) -> list[tuple[System, str]]:
        """What the result table is of: every system on every evaluation set."""
        return [
            (system, name)
            for name in self.experiment.settings.evaluation.sets
            for system in self.experiment.systems.values()
            if system.sets is None or name in system.sets
        ]

    # --- the report ---

    def report(self) -> dict[str, Any]:
        """The manifest of the report: what it is of and what it is made from (see stages/report/manifest.py)."""
        return {
            "experiment": self.experiment.settings.experiment,
            "seeds": self.experiment.settings.seeds,
            "reference": self.experiment.reference.label,
            "benchmarks": f"{self.results}/benchmarks",
            "methods": [
                {
                    "name": name,
                    "title": method.title,
                    "report": method.report,
                    "facts": dict(method.facts(self.of(name))),
                    "files": [dict(entry) for entry in method.entries(self.of(name))],
                }
                for name, method in self.experiment.methods.items()
            ],
            "files": list(self._common_files()),
        }

    def report_files(self) -> list[str]:
        """The files of the manifest, each once."""
        manifest = self.report()
        parts = [manifest, *manifest["methods"]]
        return list(dict.fromkeys(entry["path"] for part in parts for entry in part["files"]))

    def _common_files(self) -> Iterator[dict[str, Any]]:
        """The entries that every method may ask for."""
        settings = self.experiment.settings
        yield {"name": "results", "path": f"{self.results}/tables/results.json"}
        yield {"name": "differences", "path": f"{self.results}/tables/differences.parquet"}
        yield {"name": "base", "path": self.manifest(BASE)}
        if settings.is_embedded:
            yield {"name": "pretraining", "path": f"{self.results}/embedded/pretraining.parquet"}
        for name in ("train", *settings.evaluation.sets):
            yield {"name": "problems", "path": f"{self.results}/problems/{name}.parquet", "dataset": name}
        for system, name in self.evaluated():
            labels = {"dataset": name, "id": system.id, "system": system.label, "method": system.method}
            if not system.scores:
                path = f"{self.results}/evaluate/{system.id}/{name}.samples.parquet"
                yield {"name": "samples", "path": path, **labels, "draws": True}
            yield {"name": "scores", "path": self.scores(system, name), **labels}

    # --- the list of systems ---

    def usage_files(self) -> list[str]:
        """The accounts of all jobs that sampled for a model of the experiment."""
        found = (path for model in self.experiment.trained() for path in self._usage(model))
        return list(dict.fromkeys(found))

    def choices(self) -> list[str]:
        """What was taken of the training of every model."""
        found = (path for model in self.experiment.trained() for path in self._choices(model))
        return list(dict.fromkeys(found))

    def lineages(self) -> list[str]:
        """The lineages of all models that are trained or merged."""
        return [f"{self.results}/models/{model.name}/lineage.json" for model in self.experiment.trained()]

    def declared_systems(self) -> dict[str, Any]:
        """The systems, the files that tell what each was made from, and what is known of the models given."""
        models = {model.name: model for model in self.experiment.trained()}
        systems = []
        for system in self.experiment.systems.values():
            own = [models[name] for name in dict.fromkeys(system.roles.values()) if name in models]
            roles = self.experiment.roles(system.method, system.variant)
            upstream = {
                "usage": list(dict.fromkeys(path for model in own for path in self._usage(model))),
                "choices": [path for model in own for path in self._choices(model)],
                "teachers": [name for name, role in roles.items() if role.teaches],
            }
            systems.append({**asdict(system), "upstream": upstream})
        entries = self.experiment.settings.models.items()
        lineages = {name: entry.lineage.model_dump() for name, entry in entries}
        return {"reference": self.experiment.reference.id, "systems": systems, "lineages": lineages}

    def _usage(self, model: Trained) -> list[str]:
        """The accounts of all jobs upstream of a model."""
        found = []
        for stage, variant, item in self.experiment.upstream(model):
            if usage := self.experiment.stage(model.method, stage).usage:
                need, shards = Need(stage, usage, item), self.shards(model.method)
                found += self.experiment.files(model.method, variant, need, model.seed, shards)
        return [f"{self.results}/{path}" for path in found]

    def _choices(self, model: Trained) -> list[str]:
        found = []
        for training in self.experiment.trainings(model):
            need = Need("train", "choice", training.item)
            found += self.experiment.files(model.method, training.variant, need, model.seed)
        return [f"{self.results}/{path}" for path in found]


@dataclass(frozen=True)
class MethodWiring:
    """One method as its rules see it."""

    wiring: Wiring
    method: str

    @property
    def experiment(self) -> Experiment:
        """The experiment."""
        return self.wiring.experiment

    @property
    def problems(self) -> str:
        """The problems that the method trains on."""
        return self.wiring.problems(self.method)

    # --- what the method's own functions ask (declarations.View) ---

    @property
    def common(self) -> Settings:
        """The settings that all methods share."""
        return self.experiment.settings

    @property
    def section(self) -> Any:
        """The method's own section."""
        return self.experiment.section(self.method)

    @property
    def variants(self) -> list[str]:
        """The variants that are run."""
        return self.experiment.variants(self.method)

    def own(self, variant: str) -> Any:
        """The settings of a variant."""
        return self.experiment.own[self.method, variant]

    def made(self, variant: str, stage: str, file: str, item: str = "", seed: int = 0) -> list[str]:
        """The paths of a file that a stage makes for a variant: one a shard."""
        need, shards = Need(stage, file, item), self.wiring.shards(self.method)
        paths = self.experiment.files(self.method, variant, need, seed, shards)
        return [f"{self.wiring.results}/{path}" for path in paths]

    def system(self, variant: str, stage: str, item: str, seed: int) -> System:
        """The system of a trained or merged model under the plain prompt."""
        home = self.experiment.home(self.method, variant, stage, item)
        return self.experiment.systems[f"{self.method}/{home}/s{seed}/{item}"]

    def base_system(self) -> System:
        """The base under the plain prompt."""
        return self.experiment.base_system(self.method)

    def answers(self, system: System, set_name: str) -> str:
        """The path of a system's answers to an evaluation set, without its ending."""
        return f"{self.wiring.results}/evaluate/{system.id}/{set_name}"

    # --- what the rules ask ---

    def isolation(self, wildcards: Wildcards, resources: Any) -> str:
        """The weakest isolation in which programs may run; empty where there are none. Nothing is made anew for it."""
        return self._reader()[1]

    def sandbox_modules(self, wildcards: Wildcards | None = None) -> list[str]:
        """The modules of the sandbox, where the method has programs to run."""
        return sandbox_modules(self._reader()[1])

    def _reader(self) -> tuple[str, str]:
        return self.experiment.methods[self.method].reader(self.common, self.own("main"))

    def prompt(self, name: str) -> str:
        """The file of a prompt."""
        return f"{self.experiment.prompt_folder(self.method)}/{name}.jinja"

    def prompts(self, *names: str) -> dict[str, str]:
        """The files of prompts by their names."""
        return {name: self.prompt(name) for name in names}

    def models(self) -> list[str]:
        """The manifests of all models that the method trains or merges."""
        return [self.wiring.manifest(model.name) for model in self.experiment.trained() if model.method == self.method]

    def makes(self, stage: str, *files: str) -> dict[str, str]:
        """The outputs of a stage's rule by name, with wildcards; all of its files, or some."""
        declared = self.experiment.stage(self.method, stage)
        patterns = {file: f"<results>/{pattern_of(self.method, declared, file)}" for file in files or declared.files}
        return patterns

    def needs(self, stage: str, *names: str) -> OfJob:
        """The inputs of a stage's rule by name, for `unpack`: all that it is made from, or some."""

        def inputs(wildcards: Wildcards) -> dict[str, Any]:
            needs = self._needs(stage, wildcards)
            return {
                name: [path for need in needs[name] for path in self.paths(need, wildcards)] for name in names or needs
            }

        return inputs

    def settings(self, stage: str, name: str) -> OfJob:
        """One setting of a stage, as an argument of its program."""

        def setting(wildcards: Wildcards) -> Any:
            item = self._item(stage, wildcards)
            return as_argument(self.experiment.settings_of(self.method, wildcards.variant, stage, item)[name])

        return setting

    def plays(self, role: str) -> OfJob:
        """The name of the entry of `models` that plays a role; empty where a variant does not ask it."""

        def plays(wildcards: Wildcards) -> str:
            if role not in self.experiment.roles(self.method, wildcards.variant):
                return ""
            return self.experiment.player(self.method, wildcards.variant, role) or ""

        return plays

    def model_named(self, stage: str, need: str) -> OfJob:
        """The name of a model that a stage needs."""
        return lambda wildcards: (
            self.paths(self._needs(stage, wildcards)[need][0], wildcards)[0]
            .removeprefix(f"{self.wiring.results}/models/")
            .removesuffix("/manifest.json")
        )

    def prompt_files(self, stage: str) -> OfJob:
        """The files of the prompts that a stage's setting `prompts` names."""
        return lambda wildcards: list(self._prompts(stage, wildcards).values())

    def named_prompts(self, stage: str) -> OfJob:
        """The same as `role=path`."""
        return lambda wildcards: [f"{role}={path}" for role, path in self._prompts(stage, wildcards).items()]

    def _prompts(self, stage: str, wildcards: Wildcards) -> dict[str, str]:
        names = self.experiment.settings_of(self.method, wildcards.variant, stage, self._item(stage, wildcards))
        return {role: self.prompt(name) for role, name in names["prompts"].items()}

    def scores(self, stage: str, name: str, set_name: str) -> OfJob:
        """The verdicts on an evaluation set, or on `dev`, of the models that a stage needs under a name; each model in
        all of its repetitions.
        """

        def scores(wildcards: Wildcards) -> list[str]:
            found = []
            for need in self._needs(stage, wildcards)[name]:
                home = self.experiment.home(self.method, wildcards.variant, need.stage, need.item)
                for seed in self.experiment.settings.seeds:
                    system = self.experiment.systems[f"{self.method}/{home}/s{seed}/{need.item}"]
                    found.append(self.wiring.scores(system, set_name))
            return found

        return scores

    def base_scores(self, set_name: str) -> str:
        """The verdicts on the base under the plain prompt."""
        return self.wiring.scores(self.base_system(), set_name)

    def repeated(self, stage: str, name: str) -> OfJob:
        """A setting that lists something of every model, once a repetition."""
        setting, seeds = self.settings(stage, name), self.experiment.settings.seeds
        return lambda wildcards: [value for value in setting(wildcards) for _ in seeds]

    def paths(self, need: Need, wildcards: Wildcards) -> list[str]:
        """The files that a need of a job stands for: of its own shard, or of all where it is of none."""
        shards = [wildcards.shard] if "shard" in wildcards.keys() else self.wiring.shards(self.method)  # noqa: SIM118
        seeds = self.experiment.settings.seeds if need.every else [wildcards.seed]
        return [
            f"{self.wiring.results}/{path}"
            for seed in seeds
            for path in self.experiment.files(self.method, wildcards.variant, need, seed, shards)
        ]

    def players(self, stage: str) -> Players:
        """The models that a stage asks: entries of `models`, or models that the method trains."""
        declared = self.experiment.stage(self.method, stage).roles

        def players(wildcards: Wildcards) -> dict[str, tuple[str, str]]:
            asked, needs = self.experiment.roles(self.method, wildcards.variant), self._needs(stage, wildcards)
            found = {}
            for role in (role for role in declared if role in asked):
                name = self.experiment.player(self.method, wildcards.variant, role) or TRAINED
                own = role in needs and name == TRAINED
                found[role] = (name, self.paths(needs[role][0], wildcards)[0] if own else self.wiring.manifest(name))
            return found

        main = self.experiment.roles(self.method, "main")
        return Players(self.wiring, players, frozenset(r for r in declared if r in main and main[r].does == "scores"))

    def _needs(self, stage: str, wildcards: Wildcards) -> dict[str, list[Need]]:
        return self.experiment.needs_of(self.method, wildcards.variant, stage, self._item(stage, wildcards))

    def _item(self, stage: str, wildcards: Wildcards) -> str:
        name = self.experiment.stage(self.method, stage).item
        return str(getattr(wildcards, name)) if name else ""


@dataclass(frozen=True)
class Players:
    """The models that the jobs of a rule ask: `of` gives, for a job's wildcards, the name and the manifest of the model
    that plays each role. A role of `scores` is played by a model here, never by an endpoint.
    """

    wiring: Wiring
    of: Callable[[Wildcards], Mapping[str, tuple[str, str]]]
    scores: frozenset[str] = frozenset()

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The manifests of the models, each once."""
        return list(dict.fromkeys(manifest for _, manifest in self.of(wildcards).values()))

    def models(self, wildcards: Wildcards) -> list[str]:
        """Who plays each role, as `role=manifest`."""
        return [f"{role}={manifest}" for role, (_, manifest) in self.of(wildcards).items()]

    def engines(self, wildcards: Wildcards) -> str:
        """What the answers of the models depend on, by role."""
        return json.dumps(self._engines(wildcards), sort_keys=True)

    def _engines(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        players = self.of(wildcards)
        return {role: self.wiring.engine(name, scores=role in self.scores) for role, (name, _) in players.items()}

    def limits(self, wildcards: Wildcards, resources: Any) -> str:
        """How endpoints are asked, by role. Snakemake re-runs nothing for what a function makes that takes
        `resources`.
        """
        found = {role: self.wiring.limits(name) for role, name in self._elsewhere(wildcards).items()}
        return json.dumps(found, sort_keys=True)

    def code(self, program: str, modules: Callable[[Wildcards], list[str]] = lambda wildcards: []) -> OfJob:
        """The code of a program and of the engines that it loads, and further modules that it loads by name."""

        def code(wildcards: Wildcards) -> list[str]:
            return code_of(program, *modules_of(self._engines(wildcards), self.scores), *modules(wildcards))

        return code

    def params(
        self, program: str, python: Any, modules: Callable[[Wildcards], list[str]] = lambda wildcards: []
    ) -> dict[str, Any]:
        """The parameters of a job: code, models, engines and limits, and the Python of their environment."""
        told = {"models": self.models, "engines": self.engines, "limits": self.limits}
        return {"code": self.code(program, modules), **told, "python": python}

    def resources(self, minutes: int) -> dict[str, Any]:
        """What a job asks for: GPUs, memory and time, and the turn at each endpoint."""
        compute, models = self.wiring.experiment.settings.compute, self.wiring.experiment.model_of

        def here(wildcards: Wildcards) -> list[Model]:
            elsewhere = self._elsewhere(wildcards)
            return [models(name) for role, (name, _) in self.of(wildcards).items() if role not in elsewhere]

        def gpus(wildcards: Wildcards) -> int:
            return max((compute.gpus if entry.gpus is None else entry.gpus for entry in here(wildcards)), default=0)

        def memory(wildcards: Wildcards, attempt: int) -> int:
            return attempt * max([entry.mem_mb or compute.mem_mb for entry in here(wildcards)] or [compute.mem_mb])

        def turn(server: str) -> OfJob:
            return lambda wildcards: int(server in self._elsewhere(wildcards).values())

        turns = {f"server_{name}": turn(name) for name in self.wiring.servers()}
        return {"gpu": gpus, **turns, "mem_mb": memory, "runtime": scaled(minutes)}

    def _elsewhere(self, wildcards: Wildcards) -> dict[str, str]:
        """The roles that endpoints play, and whose entry that is."""
        return {
            role: name
            for role, (name, _) in self.of(wildcards).items()
            if role not in self.scores and self.wiring.experiment.model_of(name).endpoint
        }


def scaled(amount: int) -> Callable[[Wildcards, int], int]:
    """More of a resource with every attempt, for jobs that ran out of it."""
    return lambda wildcards, attempt: amount * attempt
