"""What GSI declares: its stages and iterations (docs/gsi.md).

The item of a stage is an iteration t, counted from 0. All variants share iteration 0 and its plain draws, and raising
T, k or R only adds work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bestpath.core.declarations import Method, Named, Need, Needs, Role, Stage, Training
from bestpath.core.errors import UserError
from bestpath.methods.gsi import cost
from bestpath.methods.gsi.report.files import entries, facts
from bestpath.methods.gsi.settings import EMBEDDED, GSI_VARIANTS, Gsi
from bestpath.settings.common import Common

_PROMPTS = {
    "plain": ("problem",),
    "answer": ("problem", "answer"),
    "answer_bare": ("problem", "answer"),
    "rationale": ("problem", "reference"),
    "feedback": ("problem", "attempt", "answer", "reference"),
    "revise": ("problem", "attempt", "feedback"),
}


# --- stages -------------------------------------------------------------------------------------------------------


def is_guided(gsi: Gsi) -> bool:
    """Whether a variant has a guided phase; vanilla self-improvement has none."""
    return gsi.guidance.strategy != "none"


def _grade_settings(common: Common, gsi: Gsi, t: str) -> Mapping[str, Any]:
    return {"rules": gsi.sample.model_dump(include={"mode", "verifier"})}


def _draw_settings(common: Common, gsi: Gsi, t: str) -> Mapping[str, Any]:
    return {"rules": gsi.sample.model_dump(exclude={"verifier", "min_level"})}


def _guide_settings(common: Common, gsi: Gsi, t: str) -> Mapping[str, Any]:
    """The settings of a guided phase, both phases' sampling included, and the prompts of its strategy."""
    rules = {**gsi.sample.model_dump(exclude={"min_level"}), **gsi.guidance.model_dump()}
    return {"rules": rules, "prompts": help_prompts(gsi)}


def help_prompts(gsi: Gsi) -> dict[str, str]:
    """The prompts that a strategy needs: the name of the file, by role of the prompt."""
    guidance = gsi.guidance
    answer = "answer" if guidance.answer_style == "labelled" else "answer_bare"
    names = {
        "answer": {"answer": answer},
        "rationale": {"rationale": "rationale"},
        "interactive": {"feedback": "feedback", "revise": "revise"},
        "state_reset": {"rationale": "rationale"} if guidance.without_reference == "rationale" else {},
        "mixed": {"rationale": "rationale"},
    }.get(guidance.strategy, {})
    return {"plain": "plain", **names}


def _select_settings(common: Common, gsi: Gsi, t: str) -> Mapping[str, Any]:
    """The settings of a training set; k only where a set is filled up to it."""
    if t == "0":
        return {}
    rules = gsi.select.model_dump(exclude={"tokens_of", "add_references", "add_previous"})
    return {"rules": {**rules, "k": gsi.guidance.k} if gsi.select.fill or gsi.select.repeat else rules}


def _select_needs(common: Common, gsi: Gsi, t: str) -> Needs:
    if t == "0":
        return {}
    before = str(int(t) - 1)
    further = {"0": gsi.select.add_references, before: gsi.select.add_previous}
    paid = gsi.select.tokens_of
    return {
        "writer": Need("train", "model", f"t{before}"),
        "plain": [Need("grade", "graded", before)],
        "guided": [Need("guide", "graded", before)] if is_guided(gsi) else [],
        "paid": [Need("guide", "graded", before, variant=paid)] if paid else [],
        "further": [Need("select", "train", item) for item, wanted in sorted(further.items()) if wanted],
    }


def _tail_needs(common: Common, gsi: Gsi, t: str) -> Needs:
    of_draws = {name: [Need("select", name, t)] if t != "0" else [] for name in ("sampled", "questions")}
    return {
        "train": Need("select", "train", t),
        "references": Need("select", "train", "0"),
        "perplexities": Need("perplexity", "perplexities", t),
        "first": [Need("grade", "graded", "0")],
        **of_draws,
    }


STAGES = {
    "draw": Stage(
        files={
            "draws": "s{seed}/draws/{t}/plain/{shard}.parquet",
            "usage": "s{seed}/draws/{t}/plain/{shard}.usage.json",
        },
        item="t",
        settings=_draw_settings,
        needs=lambda common, gsi, t: {"actor": Need("train", "model", f"t{t}")},
        roles=("actor",),
        usage="usage",
        rule="gsi_sample",
    ),
    "grade": Stage(
        files={"graded": "s{seed}/graded/{t}/plain/{shard}.parquet"},
        item="t",
        settings=_grade_settings,
        needs=lambda common, gsi, t: {"draws": Need("draw", "draws", t)},
    ),
    "guide": Stage(
        files={
            "graded": "s{seed}/graded/{t}/guided/{shard}.parquet",
            "usage": "s{seed}/graded/{t}/guided/{shard}.usage.json",
        },
        item="t",
        settings=_guide_settings,
        needs=lambda common, gsi, t: {
            "plain": Need("grade", "graded", t),
            "actor": Need("train", "model", f"t{t}"),
        },
        exists=lambda common, gsi, t: is_guided(gsi),
        roles=("actor", "teacher"),
        usage="usage",
        rule="gsi_guide",
    ),
    "select": Stage(
        files={
            "train": "s{seed}/sft/{t}.train.jsonl",
            "dev": "s{seed}/sft/{t}.dev.jsonl",
            "sampled": "s{seed}/sampled/{t}.parquet",
            "questions": "s{seed}/questions/{t}.parquet",
            "rejects": "s{seed}/sft/{t}.rejects.parquet",
        },
        item="t",
        settings=_select_settings,
        needs=_select_needs,
    ),
    "perplexity": Stage(
        files={"perplexities": "s{seed}/perplexity/{t}.parquet"},
        item="t",
        needs=lambda common, gsi, t: {"train": Need("select", "train", t)},
        roles=("base",),
    ),
    "tail": Stage(files={"tail": "s{seed}/tail/{t}.parquet"}, item="t", needs=_tail_needs),
    "audit": Stage(
        files={"audit": "s{seed}/audit.parquet"},
        needs=lambda common, gsi, item: {"graded": [Need("grade", "graded", "0")]},
    ),
}


# --- models -------------------------------------------------------------------------------------------------------


def trained(common: Common, gsi: Gsi) -> Sequence[str]:
    """The models of a variant, one an iteration."""
    return [f"t{t}" for t in range(gsi.iterations)]


def training(common: Common, gsi: Gsi, item: str) -> Training | None:
    """How the model of an iteration is trained; None if the variant has no such iteration."""
    if item not in trained(common, gsi):
        return None
    t = int(item[1:])
    recipe = gsi.train.model_dump(exclude={"learning_rate", "start"})
    return Training(
        objective="sft",
        rows=Need("select", "train", str(t)),
        dev=Need("select", "dev", "0"),
        rates=[gsi.train.learning_rate],
        recipe={**recipe, "checkpoints": 1},
        start=f"t{t - 1}" if gsi.train.start == "continue" and t else None,
        select="last",
        criterion="last",
        per_problem=lambda of: cost.rows(of, t),
    )


def named(variant: str, item: str) -> Named:
    """What the model of an iteration is called; all variants share the first."""
    t = int(item[1:])
    if t == 0:
        return Named("iteration 0", "baseline", 0)
    return Named(f"{variant.replace('_', ' ')}, iteration {t}", "specialist", t)


# --- the declaration ----------------------------------------------------------------------------------------------


def _folder(common: Common, gsi: Gsi) -> str:
    return "gsi-pot" if gsi.sample.mode == "pot" else "gsi"


def _reader(common: Common, gsi: Gsi) -> tuple[str, str]:
    return ("program", gsi.sample.min_level) if gsi.sample.mode == "pot" else ("text", "")


def _roles(common: Common, gsi: Gsi) -> Mapping[str, Role]:
    always = {"actor": Role(default="trained"), "base": Role("scores")}
    return {**always, "teacher": Role(teaches=True)} if gsi.guidance.strategy == "interactive" else always


def check(common: Common, variants: Mapping[str, Gsi]) -> None:
    """Whether the variants fit together. Raises UserError for the first that does not."""
    mode = variants["main"].sample.mode
    for name, variant in variants.items():
        if variant.sample.mode != mode:
            raise UserError(
                f"variant '{name}' of gsi has a mode of its own; set methods.gsi.sample.mode for all of them"
            )
        other = variant.select.tokens_of
        guides = other is not None and other in variants and is_guided(variants[other])
        if other is not None and (not guides or variants[other].select.tokens_of):
            raise UserError(
                f"variant '{name}' of gsi takes the tokens of '{other}', which is no variant with a guided phase of "
                "its own; name one in methods.gsi.select.tokens_of"
            )


METHOD = Method(
    name="gsi",
    title="GSI",
    settings=Gsi,
    embedded=EMBEDDED,
    variants=(*GSI_VARIANTS, "main"),
    stages=STAGES,
    prompts=_PROMPTS,
    plain="plain",
    folder=_folder,
    cost=cost.COST,
    assumptions=cost.assumptions,
    habits=cost.habits,
    report="bestpath.methods.gsi.report.chapter",
    entries=entries,
    facts=facts,
    named=named,
    roles=_roles,
    trained=trained,
    training=training,
    reader=_reader,
    lessons="bestpath.methods.gsi.lessons",
    taught=lambda common, gsi: (_folder(common, gsi),),
    check=check,
    gone={"guidance.teacher.endpoint": "models.teacher.endpoint"},
)
