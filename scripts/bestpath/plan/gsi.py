"""What a configuration asks of GSI: which models are trained, and which variant owns a stage of an iteration.

A variant's stage whose settings, and all settings upstream, equal those of an earlier variant is that variant's
artifact: so all variants share iteration 0 and its plain draws, and raising T, k or R only adds work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bestpath.settings import Gsi, Settings
from bestpath.settings.base import in_order
from bestpath.settings.gsi import GSI_VARIANTS


def variants(settings: Settings) -> list[str]:
    """The variants to run, in the order of the configuration."""
    return list(dict.fromkeys(settings.gsi.run))


def owner(settings: Settings, variant: str, stage: str, t: int) -> str:
    """The first variant whose `stage` of iteration t (with everything upstream) is the same as this variant's.

    `stage` is one of set (the training set D_t), train, plain, guided (the draws of model t).
    """
    wanted = _upstream(settings, variant, stage, t)
    candidates = [*in_order(settings.gsi.variants, GSI_VARIANTS), "main"]
    return next(name for name in candidates if _upstream(settings, name, stage, t) == wanted)


def _upstream(settings: Settings, variant: str, stage: str, t: int) -> list[Any]:
    """All settings that an artifact depends on."""
    gsi = settings.gsi.variant(variant)
    if stage == "set":
        if t == 0:
            return [gsi.sample.mode]
        selected = [*_upstream(settings, variant, "guided", t - 1), select_settings(gsi)]
        if gsi.select.tokens_of:
            selected.append(_upstream(settings, gsi.select.tokens_of, "guided", t - 1))
        return selected
    if stage == "train":
        start = _upstream(settings, variant, "train", t - 1) if continues(gsi, t) else None
        return [*_upstream(settings, variant, "set", t), gsi.train.model_dump(), start]
    if stage == "plain":
        return [*_upstream(settings, variant, "train", t), gsi.sample.model_dump()]
    if stage == "guided":
        guided = gsi.guidance.model_dump() if is_guided(gsi) else None
        return [*_upstream(settings, variant, "plain", t), guided]
    raise ValueError(f"no such stage: {stage}")


def is_guided(gsi: Gsi) -> bool:
    """Whether a variant has a guided phase; vanilla self-improvement has none."""
    return gsi.guidance.strategy != "none"


def continues(gsi: Gsi, t: int) -> bool:
    """Whether model t is trained from the model before it, and not from the base."""
    return gsi.train.start == "continue" and t > 0


def select_settings(gsi: Gsi) -> dict[str, Any]:
    """The settings that a training set depends on, flat; k only where a set is filled up to it."""
    rules = gsi.select.model_dump()
    return {**rules, "k": gsi.guidance.k} if gsi.select.fill or gsi.select.repeat else rules


def models(settings: Settings, *, merges_only: bool = False) -> Iterator[str]:
    """Every model that the configuration trains, by its name under models/, each once; nothing is merged."""
    if merges_only:
        return
    found = (
        f"gsi/{owner(settings, variant, 'train', t)}/s{seed}/t{t}"
        for variant in variants(settings)
        for t in range(settings.gsi.variant(variant).iterations)
        for seed in settings.seeds
    )
    yield from dict.fromkeys(found)


def system_of(model: str) -> dict[str, Any]:
    """What a trained model is called in tables and reports, with its kind, variant and seed."""
    _, variant, seed, item = model.split("/")
    t = int(item[1:])
    name = f"{variant.replace('_', ' ')}, iteration {t}"
    kind = "specialist" if t else "baseline"
    return {"system": name if t else "iteration 0", "kind": kind, "variant": variant, "seed": int(seed[1:])}
