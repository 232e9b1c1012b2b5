"""What ReCUT declares: its stages, specialists and merges (docs/recut.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bestpath.core.declarations import Merging, Method, Named, Need, Needs, Role, Stage, Training
from bestpath.core.errors import UserError
from bestpath.methods.recut import cost
from bestpath.methods.recut.models import SETS, SPECIALISTS, merged, trained
from bestpath.methods.recut.report.files import entries, facts
from bestpath.methods.recut.settings import EMBEDDED, VARIANTS, Recut
from bestpath.settings.common import Common

_REFERENCE = ("ld_alpha", "lora", "max_length", "micro_batch", "global_batch", "zero")
"""The training settings that reference log-probabilities depend on: none that a sweep is likely to change."""


# --- stages -------------------------------------------------------------------------------------------------------


def _rounds(recut: Recut) -> int:
    """The rounds of the trace that candidates are taken from."""
    return min(recut.pairs.rounds or recut.explore.rounds, recut.explore.rounds)


def _candidate_settings(common: Common, recut: Recut, item: str) -> Mapping[str, Any]:
    rules = recut.pairs.model_dump(include={"verifier", "length_unit"})
    return {"rules": {**rules, "rounds": _rounds(recut)}, "stop_rule": recut.explore.stop_rule}


def _pair_settings(common: Common, recut: Recut, item: str) -> Mapping[str, Any]:
    """The settings that one training set depends on, flat."""
    rules = recut.pairs.model_dump(exclude={"rounds", "verifier", "length", "accuracy"})
    rules["max_length"] = recut.train.max_length
    if item == "sft":
        sft = {"train_prompt": rules["train_prompt"], "max_length": rules["max_length"]}
        return {"rules": sft, "strategy": recut.explore.strategy}
    if item in {"length", "union"}:
        rules["length_rejected"] = recut.pairs.length.rejected
    if item in {"accuracy", "union"}:
        rules["accuracy_rejected"] = recut.pairs.accuracy.rejected
    return {"rules": rules}


def training_sets(recut: Recut) -> dict[str, str]:
    """The training sets of a variant, and the stage that the funnel counts each under."""
    if recut.specialists == "sft":
        return {"sft": "sft.rejection_sampling" if recut.explore.strategy == "whole" else "sft.shortest"}
    if recut.specialists == "union":
        return {"length": "pairs.length", "accuracy": "pairs.accuracy"}
    return {SETS[name]: f"pairs.{SETS[name]}" for name in SPECIALISTS[recut.specialists]}


_TRIALS = Need("explore", "trials")
_CANDIDATES = Need("candidates", "candidates")
_OPTIMAL = Need("optimal", "optimal")


def _funnel_needs(common: Common, recut: Recut, item: str) -> Needs:
    sets = [Need("pairs", part, name) for name in training_sets(recut) for part in ("train", "dev", "rejects")]
    return {
        "trials": _TRIALS,
        "candidates": _CANDIDATES,
        "candidate_rejects": Need("candidates", "rejects"),
        "optimal": _OPTIMAL,
        "sets": sets,
    }


STAGES = {
    "explore": Stage(
        files={"trials": "s{seed}/explore/{shard}.parquet", "usage": "s{seed}/explore/{shard}.usage.json"},
        settings=lambda common, recut, item: {"rules": recut.explore.model_dump()},
        roles=("actor",),
        usage="usage",
        rule="recut_explore",
    ),
    "candidates": Stage(
        files={"candidates": "s{seed}/candidates.parquet", "rejects": "s{seed}/candidates.rejects.parquet"},
        settings=_candidate_settings,
        needs=lambda common, recut, item: {"trials": _TRIALS},
    ),
    "optimal": Stage(
        files={"optimal": "s{seed}/optimal.parquet", "rejects": "s{seed}/optimal.rejects.parquet"},
        settings=lambda common, recut, item: {"length_unit": recut.pairs.length_unit},
        needs=lambda common, recut, item: {"candidates": _CANDIDATES},
    ),
    "pairs": Stage(
        files={
            "train": "s{seed}/pairs/{set}.train.jsonl",
            "dev": "s{seed}/pairs/{set}.dev.jsonl",
            "rejects": "s{seed}/pairs/{set}.rejects.parquet",
        },
        item="set",
        settings=_pair_settings,
        needs=lambda common, recut, item: {"candidates": _CANDIDATES, "optimal": _OPTIMAL},
    ),
    "funnel": Stage(
        files={"counts": "s{seed}/funnel.json"},
        settings=lambda common, recut, item: {"rounds": _rounds(recut), "stages": list(training_sets(recut).values())},
        needs=_funnel_needs,
    ),
    "choice": Stage(
        files={"choice": "merge.json"},
        settings=lambda common, recut, item: {"names": list(merged(recut))},
        needs=lambda common, recut, item: {"models": [Need("merge", "model", name) for name in merged(recut)]},
        exists=lambda common, recut, item: bool(merged(recut)),
    ),
}


# --- models -------------------------------------------------------------------------------------------------------


def training(common: Common, recut: Recut, specialist: str) -> Training | None:
    """How a specialist is trained; None if the variant has no such."""
    if specialist not in trained(recut):
        return None
    item = SETS[specialist]
    settings = recut.train.model_dump()
    rates, select = settings.pop("learning_rates")[item], settings.pop("select")
    return Training(
        objective="sft" if item == "sft" else "dpo",
        rows=Need("pairs", "train", item),
        dev=Need("pairs", "dev", item),
        rates=rates,
        recipe=settings,
        start="length" if specialist == "sequential" else None,
        reference=None if item == "sft" else {name: settings[name] for name in _REFERENCE},
        select=select,
        criterion="accuracy" if item == "accuracy" else "length",
        per_problem=lambda of: cost.rows(of, item),
    )


def merging(common: Common, recut: Recut, merge: str) -> Merging | None:
    """How the twins are merged; None if the variant has no such merge."""
    if merge not in merged(recut):
        return None
    return Merging(("length", "accuracy"), recut.merge.methods[merge].model_dump(), recut.merge.dtype)


_NAMES = {
    "length": Named("length specialist", "specialist"),
    "accuracy": Named("accuracy specialist", "specialist"),
    "union": Named("one model, both sets", "baseline"),
    "sequential": Named("length, then accuracy", "baseline"),
    "sft": Named("SFT", "baseline"),
}


def named(variant: str, item: str) -> Named:
    """What a trained or merged model is called; the main variant is not named."""
    of = _NAMES.get(item, Named(f"merged: {item}", "merged"))
    return of if variant == "main" else Named(f"{of.label} ({variant})", of.kind)


# --- the declaration ----------------------------------------------------------------------------------------------


def check(common: Common, variants: Mapping[str, Recut]) -> None:
    """Whether who explores can do what it is asked."""
    for name, recut in variants.items():
        endpoint = common.base.endpoint
        if recut.explore.continuation == "prefill" and endpoint and not endpoint.continues_prefill:
            raise UserError(
                f"variant '{name}' sets explore.continuation to prefill, which this endpoint cannot do; set "
                "'models.base.endpoint.continues_prefill' if it can, or write explore.continuation: prompt"
            )


METHOD = Method(
    name="recut",
    title="ReCUT",
    settings=Recut,
    embedded=EMBEDDED,
    variants=("main", *VARIANTS),
    stages=STAGES,
    prompts={
        "long": ("problem", "previous", "step"),
        "short": ("problem", "previous", "step"),
        "neutral": ("problem",),
    },
    plain="neutral",
    cost=cost.COST,
    assumptions=cost.assumptions,
    habits=cost.habits,
    report="bestpath.methods.recut.report.chapter",
    entries=entries,
    facts=facts,
    named=named,
    roles=lambda common, recut: {"actor": Role()},
    trained=lambda common, recut: trained(recut),
    training=training,
    merged=lambda common, recut: merged(recut),
    merging=merging,
    lessons="bestpath.methods.recut.lessons",
    taught=lambda common, recut: ("recut",),
    check=check,
)
