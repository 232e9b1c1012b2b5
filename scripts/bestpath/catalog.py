"""The one list of methods, the settings composed of theirs, and what an experiment asks of them.

A method is a package of `methods` whose module `plan` declares it (`core.declarations.Method`). Which variant owns an
artifact, which settings stand in a rule's parameters and what a rule is made from are all read from the same `Stage`.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from typing import Any

from pydantic import Field, create_model

from bestpath.core.declarations import Merging, Method, Need, Role, Stage, Training
from bestpath.core.provenance import digest
from bestpath.core.systems import BASE, System
from bestpath.settings.base import Section, deep_merge, in_order
from bestpath.settings.common import DECODINGS, EMBEDDED, Common
from bestpath.settings.models import Model
from bestpath.stages.embedded.lessons import lessons_of

NAMES = ("recut", "gsi")
"""The methods that there are, one word each; the first is run where a configuration names none."""

METHODS: Mapping[str, Method] = {name: import_module(f"bestpath.methods.{name}.plan").METHOD for name in NAMES}

_SECTIONS: Any = {name: (method.settings | None, None) for name, method in METHODS.items()}
Methods: Any = create_model(
    "Methods",
    __base__=Section,
    __doc__="The methods to run, each with its own section; none named: the first.",
    **_SECTIONS,
)


class Settings(Common):
    """All settings of one experiment."""

    methods: Methods = Field(Methods(), description="the methods to run, each with a section of its own")


def defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration lies over: the default method and what the base is taught for it, the values of the embedded
    world where the base is that, and the defaults of the methods that it names.
    """
    given = config.get("methods")
    given = given if isinstance(given, Mapping) else {}
    named = [name for name in METHODS if given.get(name) is not None] or [NAMES[0]]
    models = config.get("models")
    base = models.get(BASE) if isinstance(models, Mapping) else None
    source = (base.get("source") if isinstance(base, Mapping) else None) or "embedded"
    below: dict[str, Any] = {"models": {BASE: {"source": source}}, "evaluation": {"decodings": DECODINGS}}
    if source == "embedded":
        below = deep_merge(deepcopy(EMBEDDED), below)
        below["embedded"] = {"lessons": list(lessons_of([METHODS[NAMES[0]].lessons]))}
        _drop_foreign(below, config)
    below["methods"] = {}
    for name in named:
        own = METHODS[name].settings().model_dump()
        below["methods"][name] = deep_merge(own, METHODS[name].embedded) if source == "embedded" else own
    return below


def _drop_foreign(below: dict[str, Any], config: Mapping[str, Any]) -> None:
    """Leave out what describes problems of the embedded world where a configuration takes its own."""
    for part, place in (("problems", below["problems"]), ("evaluation", below["evaluation"]["sets"])):
        given = config.get(part)
        given = given.get("sets", given) if isinstance(given, Mapping) else {}
        for name, source in given.items() if isinstance(given, Mapping) else ():
            path = source.get("path") if isinstance(source, Mapping) else None
            if path and not str(path).startswith("embedded:"):
                place.pop(name, None)


# --- what an experiment asks of its methods -----------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """A model that the experiment trains (`stage` train) or merges (`stage` merge)."""

    method: str
    variant: str
    seed: int
    item: str
    stage: str

    @property
    def name(self) -> str:
        """Its folder under models/."""
        return f"{self.method}/{self.variant}/s{self.seed}/{self.item}"


class Experiment:
    """The methods of one configuration, and which variant owns what."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.methods = {name: METHODS[name] for name in NAMES if getattr(settings.methods, name) is not None}
        self._made: dict[tuple[str, str, str, str], str | None] = {}

    @cached_property
    def own(self) -> dict[tuple[str, str], Any]:
        """The settings of every variant of every method, by method and variant."""
        return {
            (name, variant): self.section(name).variant(variant)
            for name in self.methods
            for variant in ["main", *self.section(name).variants]
        }

    def section(self, method: str) -> Any:
        """The section of a method."""
        return getattr(self.settings.methods, method)

    def variants(self, method: str) -> list[str]:
        """The variants of a method that are run, in the order of the configuration."""
        return list(dict.fromkeys(self.section(method).run))

    # --- stages ---

    def stage(self, method: str, name: str) -> Stage:
        """A stage of a method: one that it declares, or that of its training and merging."""
        declared = self.methods[method].stages.get(name)
        return declared or _common_stages(self.methods[method])[name]

    def settings_of(self, method: str, variant: str, stage: str, item: str = "") -> Mapping[str, Any]:
        """The settings that a stage of a variant depends on by itself: what stands in its rule's parameters."""
        return self.stage(method, stage).settings(self.settings, self.own[method, variant], item)

    def needs_of(self, method: str, variant: str, stage: str, item: str = "") -> dict[str, list[Need]]:
        """What a stage of a variant is made from, by the name of the input."""
        needs = self.stage(method, stage).needs(self.settings, self.own[method, variant], item)
        return {name: [need] if isinstance(need, Need) else list(need) for name, need in needs.items()}

    def _made_from(self, method: str, variant: str, stage: str, item: str) -> str | None:
        """A digest of all settings that a stage depends on, those of its needs included; None if a variant lacks it."""
        key = (method, variant, stage, item)
        if key not in self._made:
            declared = self.stage(method, stage)
            made: str | None = None
            if declared.exists(self.settings, self.own[method, variant], item):
                upstream = [
                    [name, need.file, self._made_from(method, need.variant or variant, need.stage, need.item)]
                    for name, needs in sorted(self.needs_of(method, variant, stage, item).items())
                    for need in needs
                ]
                made = digest([stage, item, dict(self.settings_of(method, variant, stage, item)), upstream])
            self._made[key] = made
        return self._made[key]

    def home(self, method: str, variant: str, stage: str, item: str = "") -> str:
        """The first variant whose stage, with everything upstream, is the same as this variant's: it owns the files."""
        wanted = self._made_from(method, variant, stage, item)
        if wanted is None:
            raise ValueError(f"variant {variant} of {method} has no {stage} {item}")
        order = in_order(["main", *self.section(method).variants], self.methods[method].variants)
        return next(name for name in order if self._made_from(method, name, stage, item) == wanted)

    def files(self, method: str, variant: str, need: Need, seed: int | str, shards: Iterable[str] = ()) -> list[str]:
        """The files that a need of a variant stands for; where they are sharded, one a shard."""
        variant = self.home(method, need.variant or variant, need.stage, need.item)
        stage = self.stage(method, need.stage)
        pattern = pattern_of(method, stage, need.file)
        given = {"variant": variant, "seed": str(seed), stage.item or "item": need.item}
        if "{shard}" not in pattern:
            return [_filled(pattern, given)]
        return [_filled(pattern, {**given, "shard": shard}) for shard in shards]

    # --- models ---

    def training(self, method: str, variant: str, item: str) -> Training:
        """How a model is trained. Raises ValueError if the variant trains no such model."""
        training = self.methods[method].training(self.settings, self.own[method, variant], item)
        if training is None:
            raise ValueError(f"variant {variant} of {method} trains no {item}")
        return training

    def merging(self, method: str, variant: str, item: str) -> Merging:
        """How a model is merged. Raises ValueError if the variant merges no such model."""
        merging = self.methods[method].merging(self.settings, self.own[method, variant], item)
        if merging is None:
            raise ValueError(f"variant {variant} of {method} merges no {item}")
        return merging

    def trained(self, *, merges_only: bool = False) -> Iterator[Trained]:
        """Every model that is trained or merged, each once, under the variant that owns it."""
        seen: set[str] = set()
        for name, method in self.methods.items():
            for variant in self.variants(name):
                own = self.own[name, variant]
                items = [("merge", item) for item in method.merged(self.settings, own)]
                if not merges_only:
                    items = [*(("train", item) for item in method.trained(self.settings, own)), *items]
                for stage, item in items:
                    home = self.home(name, variant, stage, item)
                    for seed in self.settings.seeds:
                        model = Trained(name, home, seed, item, stage)
                        if model.name not in seen:
                            seen.add(model.name)
                            yield model

    def model_of(self, name: str) -> Model:
        """The entry of a model: what is trained is like the base, but that no endpoint has it."""
        if name in self.settings.models:
            return self.settings.models[name]
        return self.settings.base.model_copy(update={"endpoint": None})

    def upstream(self, model: Trained) -> list[tuple[str, str, str]]:
        """Every stage that a model is made from, its own included, as (stage, variant, item): each once, under the
        variant that owns it.
        """
        found: dict[tuple[str, str, str], None] = {}
        waiting = [(model.stage, model.variant, model.item)]
        while waiting:
            stage, variant, item = waiting.pop()
            place = (stage, self.home(model.method, variant, stage, item), item)
            if place in found:
                continue
            found[place] = None
            for needs in self.needs_of(model.method, variant, stage, item).values():
                waiting += [(need.stage, need.variant or variant, need.item) for need in needs]
        return list(found)

    def trainings(self, model: Trained) -> list[Trained]:
        """What a model was trained by: itself and the models that it started from, or those of a merge's parents."""
        if model.stage == "merge":
            items = self.merging(model.method, model.variant, model.item).parents
        else:
            before = self.training(model.method, model.variant, model.item).start
            items = [before] if before else []
        parents = [
            replace(model, variant=self.home(model.method, model.variant, "train", item), item=item, stage="train")
            for item in items
        ]
        own = [model] if model.stage == "train" else []
        return [*own, *(training for parent in parents for training in self.trainings(parent))]

    def roles(self, method: str, variant: str) -> dict[str, Role]:
        """The roles that a variant asks, by name."""
        return dict(self.methods[method].roles(self.settings, self.own[method, variant]))

    def player(self, method: str, variant: str, role: str) -> str | None:
        """The entry of `models` that plays a role; `trained` for a model of the method's own, None if nobody does."""
        chosen = self.section(method).roles.get(role)
        if chosen:
            return str(chosen)
        if role in self.settings.models and role != BASE:
            return role
        roles = self.roles(method, variant)
        default = roles[role].default
        return self.player(method, variant, default) if default in roles and default != role else default

    def endpoints(self) -> dict[str, Model]:
        """The entries of `models` behind endpoints that a run may ask, by name."""
        played = {
            self.player(method, variant, role)
            for method in self.methods
            for variant in self.variants(method)
            for role in self.roles(method, variant)
        }
        asked = [BASE, *(name for name in self.settings.models if name in played and name != BASE)]
        return {name: self.settings.models[name] for name in asked if self.settings.models[name].endpoint}

    # --- systems ---

    def prompt_folder(self, method: str, variant: str = "main") -> str:
        """The folder of a method's prompts."""
        declared = self.methods[method]
        name = declared.folder(self.settings, self.own[method, variant]) if declared.folder else declared.name
        return f"config/prompts/{name}"

    @cached_property
    def systems(self) -> dict[str, System]:
        """All systems that are evaluated, by id: the base under every prompt, each other model under the plain one.

        A label that an earlier method has is given the method's name.
        """
        found = [system for name in self.methods for system in self._systems(name)]
        owner: dict[str, str] = {}
        for system in found:
            owner.setdefault(system.label, system.method)
        return {
            system.id: system
            if owner[system.label] == system.method
            else replace(system, label=f"{system.label} ({self.methods[system.method].title})")
            for system in found
        }

    @property
    def reference(self) -> System:
        """The system that all others are compared with: the base under the plain prompt of the first method."""
        return next(iter(self.systems.values()))

    def _systems(self, name: str) -> Iterator[System]:
        method, section = self.methods[name], self.section(name)
        reader, isolation = method.reader(self.settings, self.own[name, "main"])
        common: dict[str, Any] = {"method": name, "reader": reader, "isolation": isolation}
        for prompt in dict.fromkeys([method.plain, *section.base_prompts]):
            plain = prompt == method.plain
            yield System(
                id=f"{BASE}/{name}/{prompt}",
                label="base" if plain else f"base, {prompt.replace('_', ' ')} prompt",
                kind="base" if plain else "prompt",
                roles={"actor": BASE},
                prompts={"plain": f"{self.prompt_folder(name)}/{prompt}.jinja"},
                **common,
            )
        for model in self.trained():
            if model.method == name:
                named = method.named(model.variant, model.item)
                yield System(
                    id=model.name,
                    label=named.label,
                    kind=named.kind,
                    variant=model.variant,
                    seed=model.seed,
                    iteration=named.iteration,
                    roles={"actor": model.name},
                    prompts={"plain": f"{self.prompt_folder(name)}/{method.plain}.jinja"},
                    **common,
                )
        yield from method.systems(self)

    def base_system(self, method: str) -> System:
        """The base under a method's plain prompt."""
        return self.systems[f"{BASE}/{method}/{self.methods[method].plain}"]


def pattern_of(method: str, stage: Stage, file: str) -> str:
    """The path of a stage's file below the results, with wildcards; `/` at its beginning leaves the method's folder."""
    pattern = stage.files[file]
    if pattern.startswith("/"):
        return pattern[1:].replace("{method}", method)
    return f"{method}/{{variant}}/{pattern}"


def _filled(pattern: str, given: Mapping[str, str]) -> str:
    names = [name for _, name, _, _ in string.Formatter().parse(pattern) if name]
    return pattern.format(**{name: given[name] for name in names})


@cache
def _common_stages(method: Method) -> dict[str, Stage]:
    """The stages of training and merging, which rules of all methods share."""

    def training(common: Any, own: Any, item: str) -> Training:
        found = method.training(common, own, item)
        assert found is not None
        return found

    def start(of: Training) -> dict[str, Need]:
        return {"start": Need("train", "model", of.start)} if of.start else {}

    def rows(common: Any, own: Any, item: str) -> dict[str, Need]:
        of = training(common, own, item)
        return {**start(of), "train": of.rows, "dev": of.dev}

    def trains(common: Any, own: Any, item: str) -> bool:
        return method.training(common, own, item) is not None

    def train_settings(common: Any, own: Any, item: str) -> dict[str, Any]:
        of = training(common, own, item)
        return {
            "recipe": {**of.recipe, "objective": of.objective},
            "rates": list(of.rates),
            "select": of.select,
            "criterion": of.criterion,
        }

    def merge_settings(common: Any, own: Any, item: str) -> dict[str, Any]:
        of = method.merging(common, own, item)
        assert of is not None
        return {"method": dict(of.way), "dtype": of.dtype, "parents": list(of.parents)}

    def parents(common: Any, own: Any, item: str) -> dict[str, Sequence[Need]]:
        of = method.merging(common, own, item)
        assert of is not None
        return {"parents": [Need("train", "model", parent) for parent in of.parents]}

    return {
        "train": Stage(
            files={
                "model": "/models/{method}/{variant}/s{seed}/{specialist}/manifest.json",
                "choice": "s{seed}/train/{specialist}/choice.json",
            },
            item="specialist",
            settings=train_settings,
            needs=rows,
            exists=trains,
        ),
        "reference": Stage(
            files={"reference": "s{seed}/reference/{specialist}.parquet"},
            item="specialist",
            settings=lambda common, own, item: {
                "recipe": {**(training(common, own, item).reference or {}), "objective": "dpo"}
            },
            needs=rows,
            exists=lambda common, own, item: (
                (of := method.training(common, own, item)) is not None and of.reference is not None
            ),
        ),
        "merge": Stage(
            files={
                "model": "/models/{method}/{variant}/s{seed}/{merge}/manifest.json",
                "report": "s{seed}/merge/{merge}.parquet",
            },
            item="merge",
            settings=merge_settings,
            needs=parents,
            exists=lambda common, own, item: method.merging(common, own, item) is not None,
        ),
    }


if __name__ == "__main__":
    print(*METHODS)
