"""What every rule costs: those that all methods share are priced here, the others by their method."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bestpath.catalog import METHODS, Experiment
from bestpath.core.declarations import TRAINER, Circumstances, Cost, Estimate, Work, free
from bestpath.core.models import WEIGHT_BYTES
from bestpath.planning.disk import TRAINED_DTYPE


class UnknownCostError(Exception):
    """What is not known of a job's cost, in a few words."""


def costs(experiment: Experiment) -> dict[str, Cost]:
    """The cost of every rule that there is, by its name."""
    shared: dict[str, Cost] = {
        "embedded_problems": free,
        "embedded_base": pretrained,
        "import_model": partial(imported, experiment),
        "problems_test": free,
        "problems_train": free,
        "problems_choose": free,
        "train_reference": partial(referenced, experiment),
        "train_specialist": partial(trained, experiment),
        "choose_specialist": chosen,
        "merge_models": partial(merged, experiment),
        "evaluate_sample": partial(answered, experiment),
        "evaluate_grade": free,
        "systems": free,
        "evaluate_table": free,
        "report": free,
    }
    own = {rule: cost for method in METHODS.values() for rule, cost in method.cost.items()}
    return own | shared


def _surely(work: Work) -> Mapping[str, Estimate]:
    """What a model is worked on, no less and no more."""
    return {TRAINER: Estimate(work, work)}


def pretrained(of: Circumstances) -> Mapping[str, Estimate]:
    """Pretraining: a document takes the time of a row."""
    embedded = of.common.embedded
    return _surely(Work(pairs=embedded.steps * embedded.batch / 2, written=WEIGHT_BYTES[TRAINED_DTYPE]))


def imported(experiment: Experiment, of: Circumstances) -> Mapping[str, Estimate]:
    """A model of a hub comes into its cache; a folder is linked."""
    source = experiment.settings.models[of.wildcards["entry"]].source or ""
    return {} if Path(source).is_dir() else _surely(Work(written=WEIGHT_BYTES["bfloat16"]))


def _pairs(experiment: Experiment, of: Circumstances) -> tuple[float, float]:
    """The pairs that a problem gives a training set, as expected and at most; a row of SFT takes half a pair's time."""
    w = of.wildcards
    training = experiment.training(w["method"], w["variant"], w["specialist"])
    usual, most = training.per_problem(of)
    share = 0.5 if training.objective == "sft" else 1.0
    return usual * share, most * share


def referenced(experiment: Experiment, of: Circumstances) -> Mapping[str, Estimate]:
    """One forward pass over the rows of both splits, which takes a third of the time of training on them."""
    usual, most = _pairs(experiment, of)
    return {TRAINER: Estimate(Work(pairs=of.pool * usual / 3), Work(pairs=of.pool * most / 3))}


def trained(experiment: Experiment, of: Circumstances) -> Mapping[str, Estimate]:
    """A pass over the rows an epoch; the dev problems, if they choose anything, are answered before it and at each
    checkpoint.
    """
    w = of.wildcards
    training = experiment.training(w["method"], w["variant"], w["specialist"])
    usual, most = _pairs(experiment, of)
    rows, written = (of.pool - of.dev) * training.recipe["epochs"], WEIGHT_BYTES[TRAINED_DTYPE]
    trainer = Estimate(Work(pairs=rows * usual, written=written), Work(pairs=rows * most, written=written))
    if training.criterion == "last":
        return {TRAINER: trainer}
    return {TRAINER: trainer, "actor": _answers(of, of.dev * (training.recipe["checkpoints"] + 1))}


def chosen(of: Circumstances) -> Mapping[str, Estimate]:
    """The chosen model is a copy."""
    return _surely(Work(written=WEIGHT_BYTES[TRAINED_DTYPE]))


def merged(experiment: Experiment, of: Circumstances) -> Mapping[str, Estimate]:
    """One model, made of others."""
    w = of.wildcards
    merging = experiment.merging(w["method"], w["variant"], w["merge"])
    return _surely(Work(merges=1, written=WEIGHT_BYTES[merging.dtype]))


def answered(experiment: Experiment, of: Circumstances) -> Mapping[str, Estimate]:
    """The answers of a system: one completion each, or what its method says. Raises UnknownCostError if it does not."""
    system = experiment.systems[of.wildcards["system"]]
    if system.answerer == "plain":
        return {"actor": _answers(of, of.answers)}
    if own := METHODS[system.method].cost.get("evaluate_sample"):
        return own(of)
    raise UnknownCostError(f"what the answers of {system.label} cost")


def _answers(of: Circumstances, n: int) -> Estimate:
    most = of.common.evaluation.max_tokens
    expected = Work.answers(n, min(most, of.habits.answer), of.habits.prompt)
    return Estimate(expected, Work.answers(n, most, of.context))
