"""What a configuration asks of ReCUT: which models are trained and merged, and which variant owns a stage.

A variant's stage whose settings, and all settings upstream, equal those of an earlier variant is that variant's
artifact: `owner` names the one to take it from, and nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bestpath.settings import Recut, Settings
from bestpath.settings.base import in_order
from bestpath.settings.recut import VARIANTS

SETS = {"length": "length", "accuracy": "accuracy", "union": "union", "sequential": "accuracy", "sft": "sft"}
"""The training set of each specialist."""

SPECIALISTS = {
    "twin": ("length", "accuracy"),
    "union": ("union",),
    "sequential": ("length", "sequential"),
    "sft": ("sft",),
}
"""The specialists of each training scheme; only `twin` is merged."""


def variants(settings: Settings) -> list[str]:
    """The variants to run, in the order of the configuration; an artifact belongs to the first that needs it."""
    return list(dict.fromkeys(settings.recut.run))


def owner(settings: Settings, variant: str, stage: str, item: str = "") -> str:
    """The first variant whose `stage` (with everything upstream) is the same as this variant's.

    `stage` is one of explore, candidates, pairs, reference, train, merge; `item` names the training set, the
    specialist or the merge.
    """
    wanted = _upstream(settings.recut.variant(variant), stage, item)
    candidates = ["main", *in_order(settings.recut.variants, VARIANTS)]
    return next(v for v in candidates if _upstream(settings.recut.variant(v), stage, item) == wanted)


def _upstream(recut: Recut, stage: str, item: str) -> list[Any]:
    """All settings that an artifact depends on; None stands for an artifact that the variant does not have."""
    trace = [recut.explore.model_dump()]
    rounds = min(recut.pairs.rounds or recut.explore.rounds, recut.explore.rounds)
    candidates = [*trace, rounds, recut.pairs.verifier, recut.pairs.length_unit]
    if stage == "explore":
        return trace
    if stage == "candidates":
        return candidates
    if stage == "pairs":
        return [*candidates, pair_rules(recut, item)]
    if stage == "reference":
        own = [*candidates, pair_rules(recut, SETS[item]), reference_settings(recut)]
        if item not in SPECIALISTS[recut.specialists]:
            return [*own, None]
        return [*own, _training(recut, "length", candidates)] if item == "sequential" else own
    if stage == "train":
        return [*_training(recut, item, candidates)]
    if stage == "merge":
        both = [_training(recut, name, candidates) for name in ("length", "accuracy")]
        method = recut.merge.methods.get(item)
        return [*both, method and method.model_dump(), recut.merge.dtype]
    raise ValueError(f"no such stage: {stage}")


def _training(recut: Recut, specialist: str, candidates: list[Any]) -> list[Any]:
    own = [*candidates, pair_rules(recut, SETS[specialist]), train_settings(recut, SETS[specialist])]
    if specialist not in SPECIALISTS[recut.specialists]:
        return [*own, None]
    return [*own, _training(recut, "length", candidates)] if specialist == "sequential" else own


def pair_rules(recut: Recut, item: str) -> dict[str, Any]:
    """The settings that one training set depends on, flat."""
    rules = recut.pairs.model_dump(exclude={"rounds", "verifier", "length", "accuracy"})
    rules["max_length"] = recut.train.max_length
    if item == "sft":
        return {"train_prompt": rules["train_prompt"], "max_length": rules["max_length"]}
    if item in {"length", "union"}:
        rules["length_rejected"] = recut.pairs.length.rejected
    if item in {"accuracy", "union"}:
        rules["accuracy_rejected"] = recut.pairs.accuracy.rejected
    return rules


def train_settings(recut: Recut, item: str) -> dict[str, Any]:
    """The settings that training on one set depends on, its learning rates included."""
    settings = recut.train.model_dump()
    return {**settings, "learning_rates": settings["learning_rates"][item]}


def reference_settings(recut: Recut) -> dict[str, Any]:
    """The training settings that the reference log-probabilities depend on: none that a sweep is likely to change."""
    return recut.train.model_dump(include={"ld_alpha", "lora", "max_length", "micro_batch", "global_batch", "zero"})


def trained(settings: Settings, variant: str) -> tuple[str, ...]:
    """The specialists of a variant."""
    return SPECIALISTS[settings.recut.variant(variant).specialists]


def merged(settings: Settings, variant: str) -> tuple[str, ...]:
    """The merges of a variant; only twins are merged."""
    recut = settings.recut.variant(variant)
    return tuple(recut.merge.methods) if recut.specialists == "twin" else ()


def models(settings: Settings, *, merges_only: bool = False) -> Iterator[str]:
    """Every model that the configuration trains or merges, by its name under models/, each once."""
    seen: set[str] = set()
    for variant in variants(settings):
        items = [("merge", item) for item in merged(settings, variant)]
        if not merges_only:
            items = [*(("train", item) for item in trained(settings, variant)), *items]
        for stage, item in items:
            home = owner(settings, variant, stage, item)
            for seed in settings.seeds:
                name = f"recut/{home}/s{seed}/{item}"
                if name not in seen:
                    seen.add(name)
                    yield name


def system_of(model: str) -> dict[str, Any]:
    """What a trained or merged model is called, with its kind, variant and seed; the main variant is not named."""
    _, variant, seed, item = model.split("/")
    kind, name = _NAMES.get(item, ("merged", f"merged: {item}"))
    name = name if variant == "main" else f"{name} ({variant})"
    return {"system": name, "kind": kind, "variant": variant, "seed": int(seed[1:])}


_NAMES = {
    "length": ("specialist", "length specialist"),
    "accuracy": ("specialist", "accuracy specialist"),
    "union": ("baseline", "one model, both sets"),
    "sequential": ("baseline", "length, then accuracy"),
    "sft": ("baseline", "SFT"),
}
