"""What a run costs, against examples that were worked out by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.catalog import METHODS, NAMES, Experiment
from bestpath.core.declarations import Circumstances, Habits, Work, free
from bestpath.core.errors import UserError
from bestpath.methods.recut.cost import explored
from bestpath.planning.budget import Bill, Job, Problems, Reckoned, Reckoner, answers, problem_counts
from bestpath.planning.configuration import load
from bestpath.planning.costs import costs
from bestpath.planning.throughput import Measured, Speed, Throughput
from bestpath.planning.wiring import Wiring
from bestpath.settings.base import deep_merge
from tests.conftest import ROOT

HABITS = Habits(
    steps=5.0, solution=300.0, answer=700.0, prompt=100.0, pairs={"length": 0.7, "accuracy": 0.5, "sft": 0.8}
)
THROUGHPUT = Throughput.model_validate(
    {
        "billions": {},
        "problems": {"some/set test": 40},
        "habits": {
            "default": {"steps": 5.0, "solution": 300.0, "answer": 700.0, "prompt": 100.0, "pairs": dict(HABITS.pairs)}
        },
        "sampling": {"transformers": [Speed(gpu="h100", billions=8.0, rate=1000.0)]},
        "training": [Speed(gpu="h100", billions=8.0, rate=2.0)],
        "merging": 100.0,
        "start": {"transformers": 30.0, "training": 60.0, "merging": 10.0, "cpu": 4.0},
    }
)
CONFIG: dict[str, Any] = {
    "models": {"base": {"source": "some/model", "context": 9216}},
    "compute": {"gpus": 2},
    "problems": {"train": {"path": "some/train", "n": 2500}, "dev_fraction": 0.1, "shard_size": 1000},
    "methods": {
        "recut": {
            "train": {"learning_rates": {"length": [1e-5], "accuracy": [1e-6, 2e-6]}},
            "merge": {"methods": {"ties": {"method": "ties"}}},
        },
        "gsi": {},
    },
    "evaluation": {
        "sets": {
            "few": {"path": "some/set", "split": "test", "samples": 16},
            "many": {"path": "other/set", "split": "test"},
        },
        "decodings": {"sampled": {"temperature": 0.7, "samples": 2}},
        "max_tokens": 8192,
    },
}
PROBLEMS = Problems({"few": 40, "many": None, "dev": 250}, {"recut": 2500, "gsi": 2500})
BASE = {"system": "base/recut/neutral", "set": "few"}


def endpoint(currency: str = "USD") -> dict[str, Any]:
    prices = {"prompt": 1.0, "completion": 10.0, "currency": currency}
    return {"url": "http://localhost:8000/v1", "model": "some-model", "prices": prices}


def reckoner(billions: float | None = 8.0, measured: Measured | None = None, **overlay: Any) -> Reckoner:
    experiment = Experiment(load(deep_merge(CONFIG, overlay)))
    sizes = dict.fromkeys(experiment.settings.models, billions)
    return Reckoner(experiment, THROUGHPUT, "h100", sizes, PROBLEMS, measured)


def job(rule: str, gpus: int = 2, **wildcards: str) -> Job:
    return Job(rule, {"variant": "main", "seed": "1", **wildcards}, 1, {"gpu": gpus})


def reckoned(rule: str, **wildcards: str) -> Reckoned:
    return reckoner().reckon(job(rule, 0 if rule == "merge_models" else 2, **wildcards))


# --- exploring ----------------------------------------------------------------------------------------------------


def exploring(problems: int, habits: Habits = HABITS, context: int = 9216, **explore: Any) -> tuple[Work, Work]:
    settings = load(deep_merge(CONFIG, {"methods": {"recut": {"explore": explore}}}))
    of = Circumstances({}, settings, settings.methods.recut.variant("main"), habits, context, shard=problems)
    [(role, estimate)] = explored(of).items()
    assert role == "actor"
    return estimate.expected, estimate.most


@pytest.mark.parametrize(("steps", "times"), [(3, 4), (5, 6), (8, 9)])
def test_exploring_writes_one_solution_more_than_there_are_steps(steps: int, times: int) -> None:
    work, _ = exploring(1, replace(HABITS, steps=float(steps)))
    assert work.completions == 2 * steps
    assert work.tokens == pytest.approx(times * 300)


def test_exploring_at_the_scale_of_the_paper() -> None:
    work, most = exploring(8000)
    assert (work.completions, work.tokens, work.prompt_tokens) == pytest.approx((80_000, 14.4e6, 8e6))
    assert (most.completions, most.tokens) == (8000 * 16, 8000 * 16 * 2048)


def test_fewer_rounds_than_steps_end_a_search_early() -> None:
    work, _ = exploring(10, rounds=2)
    assert work.completions == 40
    assert work.tokens == pytest.approx(10 * 2 * 300 * (1 + 4 / 5))


def test_the_released_stop_rule_spends_every_round() -> None:
    work, _ = exploring(1, stop_rule="boxed_in_step")
    assert work.completions == 16
    assert work.tokens == pytest.approx(2 * 300 * (3 + 3 / 5))


def test_whole_samples_are_not_stepwise() -> None:
    work, most = exploring(10, context=1000, strategy="whole", samples_per_mode=8)
    assert work == Work(80, 24_000, 8_000)
    assert most.tokens == 80 * 2048


@given(
    rounds=st.integers(1, 12),
    steps=st.floats(1, 20),
    solution=st.floats(1, 2048),
    samples=st.integers(1, 4),
    rule=st.sampled_from(["terminal", "boxed_in_step"]),
    strategy=st.sampled_from(["stepwise", "whole"]),
)
def test_nothing_is_expected_that_is_more_than_the_most(
    rounds: int, steps: float, solution: float, samples: int, rule: str, strategy: str
) -> None:
    habits = replace(HABITS, steps=steps, solution=solution)
    overlay = {"rounds": rounds, "samples_per_mode": samples, "stop_rule": rule, "strategy": strategy}
    expected, most = exploring(7, habits, **overlay)
    assert 0 < expected.completions <= most.completions * (1 + 1e-9)
    assert 0 < expected.tokens <= most.tokens * (1 + 1e-9)


@pytest.mark.parametrize(("shard", "problems"), [("00000", 1000), ("00002", 500)])
def test_the_last_shard_holds_the_rest(shard: str, problems: int) -> None:
    found = reckoned("recut_explore", shard=shard)
    assert found.expected.completions == problems * 10
    # 1000 tokens/s on each of two GPUs, after 30 s
    assert found.expected.seconds == pytest.approx(30 + problems * 1800 / 2000)
    assert found.expected.gpu_seconds == 2 * found.expected.seconds
    assert found.most.tokens == problems * 16 * 2048


# --- training and merging -----------------------------------------------------------------------------------------


def test_training_takes_pairs_and_readouts() -> None:
    found = reckoned("train_specialist", method="recut", specialist="length", lr="1e-05")
    assert found.expected.pairs == pytest.approx(2250 * 0.7)
    assert found.most.pairs == 2250
    assert found.expected.completions == 250 * 5  # before training, and at four checkpoints
    # the first process answers while the other waits
    assert found.expected.seconds == pytest.approx(60 + 250 * 5 * 700 / 1000 + 2250 * 0.7 / 2 / 2)
    assert found.disk == 32e9  # float32


def test_a_row_of_sft_takes_half_the_time_of_a_pair() -> None:
    found = reckoned("train_specialist", method="recut", variant="sft_shortest", specialist="sft", lr="1e-05")
    assert (found.expected.pairs, found.most.pairs) == pytest.approx((2250 * 0.8 / 2, 2250 / 2))


@pytest.mark.parametrize(("t", "usual", "most"), [(0, 1.0, 1.0), (1, 0.54 * 8, 16.0)])
def test_an_iteration_trains_on_references_or_on_right_answers_and_chooses_nothing(
    t: int, usual: float, most: float
) -> None:
    found = reckoned("train_specialist", method="gsi", variant="state_reset", specialist=f"t{t}", lr="1e-05")
    assert (found.expected.pairs, found.most.pairs) == pytest.approx((2250 * usual / 2, 2250 * most / 2))
    assert found.expected.completions == 0
    assert set(found.roles) == {"trainer"}
    read = reckoned("gsi_perplexity", variant="state_reset", t=str(t))
    assert read.expected.pairs == pytest.approx(2250 * usual / 2 / 3)
    assert read.expected.seconds == pytest.approx(60 + 2250 * usual / 2 / 3 / 2 / 2)


def test_reference_log_probabilities_are_one_forward_pass_over_both_splits() -> None:
    found = reckoned("train_reference", method="recut", specialist="accuracy")
    assert (found.expected.pairs, found.most.pairs) == pytest.approx((2500 * 0.5 / 3, 2500 / 3))


def test_models_on_the_disk() -> None:
    made = {"method": "recut", "specialist": "length"}
    assert reckoned("choose_specialist", **made).disk == 32e9
    merge = reckoned("merge_models", method="recut", merge="ties")
    assert (merge.expected.seconds, merge.expected.gpu_seconds, merge.disk) == (10 + 8 * 100, 0, 16e9)
    assert reckoned("import_model", entry="base").disk == 16e9  # into the hub's cache
    recipe = reckoner().checkpoints(job("train_specialist", method="recut", specialist="length", lr="1e-05"))
    assert recipe == pytest.approx(2 * 3 * 32e9 * 0.0032)


def test_a_folder_is_linked(tmp_path: Path) -> None:
    linked = reckoner(models={"base": {"source": str(tmp_path)}}).reckon(job("import_model", 0, entry="base"))
    assert (linked.disk, linked.expected) == (0, Bill())


def test_pretraining_is_not_for_nothing() -> None:
    embedded = Experiment(load({}))
    speeds = THROUGHPUT.model_copy(update={"training": [Speed(gpu="cpu", billions=0.0003, rate=100.0)]})
    problems = problem_counts(embedded, {}, Path("nowhere"))
    found = Reckoner(embedded, speeds, "h100", {"base": 0.0003}, problems).reckon(Job("embedded_base", {}, 2, {}))
    assert found.expected.seconds == pytest.approx(4 + 1000 * 32 / 2 / 100)
    assert found.disk == pytest.approx(1.2e6)


# --- evaluation ---------------------------------------------------------------------------------------------------


def test_a_set_may_have_samples_of_its_own_and_greedy_answers_are_one() -> None:
    wiring = Wiring(reckoner().experiment)
    assert answers(wiring, "few", 40) == 40 * (1 + 16)
    assert answers(wiring, "many", 1319) == 1319 * (1 + 2)
    assert answers(wiring, "dev", 250) == 250


def test_evaluation_counts_sets_decodings_and_samples() -> None:
    found = reckoned("evaluate_sample", **BASE)
    assert (found.expected.completions, found.expected.tokens) == (40 * 17, 40 * 17 * 700)
    assert found.most.tokens == 40 * 17 * 8192
    assert reckoned("evaluate_sample", system="recut/main/s1/ties", set="dev").expected.completions == 250


def test_what_a_method_answers_in_its_own_way_it_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    own = reckoner()
    system = replace(own.experiment.systems[BASE["system"]], answerer="somewhere:vote", label="vote")
    own.experiment.systems[system.id] = system
    assert own.reckon(job("evaluate_sample", **BASE)).unknown_work == "what the answers of vote cost"

    def voted(of: Circumstances) -> dict[str, Any]:
        return {"actor": replace(free_estimate, expected=Work(completions=5 * of.answers))}

    free_estimate = next(iter(explored(circumstances(own)).values()))
    method = replace(METHODS["recut"], cost={**METHODS["recut"].cost, "evaluate_sample": voted})
    monkeypatch.setattr("bestpath.planning.costs.METHODS", {"recut": method})
    assert own.reckon(job("evaluate_sample", **BASE)).expected.completions == 5 * 40 * 17


def circumstances(own: Reckoner) -> Circumstances:
    settings = own.experiment.settings
    return Circumstances({}, settings, own.experiment.own["recut", "main"], HABITS, 100, shard=1)


# --- what is not known --------------------------------------------------------------------------------------------


def test_what_is_unknown_is_named_and_not_counted() -> None:
    found = reckoned("evaluate_sample", system="base/recut/neutral", set="many")
    assert (found.unknown_work, found.expected) == ("how many problems many has", Bill())
    nameless = reckoner(None).reckon(job("recut_explore", 1, shard="00000"))
    assert (nameless.unknown_cost, nameless.expected.seconds) == ("how large some/model is", 0)
    assert nameless.expected.completions == 10_000
    graded = reckoner(None).reckon(job("evaluate_grade", 0, system="base/recut/neutral", set="many"))
    assert (graded.unknown_work, graded.unknown_cost) == ("", "")
    slow = reckoner(generation={"engine": "vllm"}).reckon(job("recut_explore", shard="00000"))
    assert slow.unknown_cost == "how fast vllm is there"


def test_a_rule_without_a_cost_is_not_taken_to_cost_nothing() -> None:
    found = reckoned("somebody_s_rule", t="1")
    assert (found.unknown_work, found.expected, found.roles) == ("what the rule somebody_s_rule costs", Bill(), {})


def test_every_rule_of_ours_has_a_cost() -> None:
    """Targets, which run nothing, excepted."""
    rules = {}
    for file in ROOT.glob("rules/*.smk"):
        for name, body in re.findall(r"^ *rule (\w+):\n(.*?)(?=^\S|\Z|^ *rule )", file.read_text(), re.M | re.S):
            rules[name] = body
    working = {name for name, body in rules.items() if "shell:" in body}
    assert {"evaluate", *NAMES} == set(rules) - working
    known = costs(reckoner().experiment)
    assert working == set(known)
    assert all(known[rule] is free for rule in ("problems_train", "evaluate_grade", "recut_pairs", "gsi_tail"))


# --- measurements -------------------------------------------------------------------------------------------------


def test_measurements_take_the_place_of_assumptions() -> None:
    measured = Measured(
        Path("results/pilot"), {"": {"answer": 350.0}}, {"train_specialist": 500.0}, {"evaluate_sample": 70.0}
    )
    found = reckoner(measured=measured).reckon(job("evaluate_sample", **BASE))
    assert found.expected.tokens == 40 * 17 * 350
    assert found.expected.seconds == pytest.approx(40 * 17 * 350 / 70)
    training = job("train_specialist", method="recut", specialist="length", lr="1e-05")
    found = reckoner(measured=measured).reckon(training)
    assert found.expected.seconds == 500
    assert found.most.seconds > 500


def test_what_one_method_measured_says_nothing_of_another() -> None:
    measured = Measured(Path("results/pilot"), {"recut": {"solution": 30.0}}, {}, {})
    own = reckoner(measured=measured)
    assert own.reckon(job("recut_explore", shard="00000")).expected.tokens == pytest.approx(1000 * 1800 / 10)
    assert own.reckon(job("gsi_sample", variant="vanilla", t="0", shard="00000")).expected.tokens == 900 * 8 * 300


# --- who plays which role -----------------------------------------------------------------------------------------


def test_an_endpoint_is_paid_for_the_base_alone() -> None:
    served = reckoner(models={"base": {"endpoint": endpoint()}})
    base = served.reckon(job("evaluate_sample", 0, **BASE))
    assert base.expected.money == pytest.approx(40 * 17 * (700 * 10 + 100 * 1) / 1e6)
    assert base.most.money == pytest.approx(40 * 17 * (8192 * 10 + 9216 * 1) / 1e6)
    assert base.unknown_cost == "how fast endpoint is there"
    trained = served.reckon(job("evaluate_sample", system="recut/main/s1/ties", set="few"))
    assert trained.expected.money == 0
    assert trained.expected.seconds > 0
    readouts = served.reckon(job("train_specialist", method="recut", specialist="length", lr="1e-05"))
    assert (readouts.expected.money, readouts.unknown_cost) == (0, "")


def guide(own: Reckoner, variant: str = "interactive") -> Reckoned:
    return own.reckon(job("gsi_guide", variant=variant, shard="0", t="0"))


TEACHER = {"guidance": {"rounds": 8, "teacher": {"max_tokens": 50}}, "run": ["interactive", "state_reset"]}


def test_a_teacher_elsewhere_is_paid_for_its_feedback() -> None:
    taught = reckoner(models={"teacher": {"endpoint": endpoint("EUR")}}, methods={"gsi": TEACHER})
    found, draws = guide(taught), 1000 * 0.9 * 1.6  # it reads prompt and answer, and says what is wrong
    actor, teacher = (found.roles[role][0] for role in ("actor", "teacher"))
    assert (actor.completions, teacher.completions) == pytest.approx((draws, draws))
    assert found.expected.money == pytest.approx(draws * ((100 + 300) * 1 + 50 * 10) / 1e6)
    assert (actor.money, teacher.money) == (0, found.expected.money)
    assert guide(taught, "state_reset").expected.money == 0
    assert taught.currency == "EUR"
    models = {"base": {"endpoint": endpoint("USD")}, "teacher": {"endpoint": endpoint("EUR")}}
    with pytest.raises(UserError, match="USD and EUR"):
        _ = reckoner(models=models, methods={"gsi": TEACHER}).currency


def test_a_teacher_here_takes_time_by_its_size() -> None:
    draws, alone = 1000 * 0.9 * 1.6, guide(reckoner(methods={"gsi": TEACHER}), "state_reset").expected.seconds
    assert alone == pytest.approx(30 + draws * 300 / 2000)
    by_itself = guide(reckoner(methods={"gsi": TEACHER})).expected.seconds
    # the base teaches, and is loaded beside the model that it has become by training
    assert by_itself == pytest.approx(alone + 30 + draws * 50 / 2000)
    own = reckoner(models={"teacher": {"source": "large/model"}}, methods={"gsi": TEACHER})
    large = replace(own, billions={"base": 8.0, "teacher": 32.0})
    assert guide(large).expected.seconds == pytest.approx(alone + 30 + 4 * draws * 50 / 2000)
    unknown = replace(own, billions={"base": 8.0, "teacher": None})
    assert guide(unknown).unknown_cost == "how large large/model is"
    assert guide(unknown).expected.seconds == pytest.approx(alone)


# --- jobs and problems --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [
        ({"gpu": 2}, 2),
        ({"gpu": 0, "gres": "gpu:a100:4"}, 4),
        ({"gpu": 0, "nodes": 2, "slurm_extra": "'--gpus-per-node=8 --signal=TERM@120'"}, 16),
        ({"gpu": 0, "slurm_extra": "'--signal=TERM@120'"}, 0),
        ({}, 0),
    ],
)
def test_gpus_are_asked_for_by_number_or_by_gres(resources: dict, gpus: int) -> None:
    assert Job("recut_explore", {}, 1, resources).gpus == gpus


def test_problems_are_counted_where_they_are_and_looked_up_on_a_hub(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps({"question": str(i), "answer": "1"}) + "\n" for i in range(3)))
    sets = {"own": {"path": str(file)}, "some": {"path": str(file), "n": 2}}
    problems = {"others": {"more": {"path": "more/train", "n": 300}}}
    methods = {"recut": {"train_on": ["more"]}}
    overlay = {"evaluation": {"sets": sets}, "problems": problems, "methods": methods}
    experiment = Experiment(load(deep_merge(CONFIG, overlay)))
    counts = problem_counts(experiment, THROUGHPUT.problems, tmp_path)
    assert counts.sets == {"few": 40, "many": None, "own": 3, "some": 2, "dev": 280}
    assert counts.pools == {"recut": 300, "gsi": 2800}


def test_a_method_that_trains_on_a_part_has_a_part_of_the_work() -> None:
    part = replace(reckoner(), problems=Problems(PROBLEMS.sets, {"recut": 300, "gsi": 2500}))
    assert part.reckon(job("recut_explore", shard="00000")).expected.completions == 300 * 10
    found = part.reckon(job("train_specialist", method="recut", specialist="length", lr="1e-05"))
    assert (found.expected.pairs, found.expected.completions) == pytest.approx((270 * 0.7, 30 * 5))
