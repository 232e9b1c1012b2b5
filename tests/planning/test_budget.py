"""What a run costs, against examples that were worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.planning.budget import Job, Reckoned, Reckoner, Work, answers, explored, explored_at_most, problem_counts
from bestpath.planning.throughput import Habits, Measured, Speed, Throughput
from bestpath.settings import (
    Compute,
    Decoding,
    Evaluation,
    Explore,
    Generation,
    Gsi,
    Model,
    Problems,
    Recut,
    Settings,
    Source,
)
from bestpath.settings.base import Lora
from bestpath.settings.endpoint import Endpoint, Prices
from bestpath.settings.gsi import Guidance, Teacher
from bestpath.settings.recut import LearningRates as Rates
from bestpath.settings.recut import Merge, MergeMethod, Train

HABITS = Habits(steps=5.0, solution=300.0, answer=700.0, prompt=100.0, pairs={"length": 0.7, "accuracy": 0.5})
EXPLORE = Explore(max_tokens=2048)
THROUGHPUT = Throughput(
    billions={},
    problems={"some/set test": 40},
    habits={"default": HABITS},
    sampling={"transformers": [Speed(gpu="h100", billions=8.0, rate=1000.0)]},
    training=[Speed(gpu="h100", billions=8.0, rate=2.0)],
    merging=100.0,
    start={"transformers": 30.0, "training": 60.0, "merging": 10.0, "cpu": 4.0},
)
SETTINGS = Settings(
    model=Model(source="some/model", context=9216),
    compute=Compute(gpus=2),
    problems=Problems(train=Source(path="some/train", n=2500), dev_fraction=0.1, shard_size=1000),
    recut=Recut(
        explore=EXPLORE,
        train=Train(learning_rates=Rates(length=[1e-5], accuracy=[1e-6, 2e-6]), lora=Lora(r=8)),
        merge=Merge(methods={"ties": MergeMethod(method="ties")}, dtype="bfloat16"),
    ),
    evaluation=Evaluation(
        sets={"few": Source(path="some/set", split="test", samples=16), "many": Source(path="other/set", split="test")},
        decodings={"greedy": Decoding(), "sampled": Decoding(temperature=0.7, samples=2)},
        max_tokens=8192,
    ),
)
PROBLEMS = {"train": 2500, "dev": 250, "few": 40, "many": None}


def endpoint(currency: str) -> Endpoint:
    prices = Prices(prompt=1.0, completion=10.0, currency=currency)
    return Endpoint(url="http://localhost:8000/v1", model="some/model", prices=prices)


def reckoned(rule: str, measured: Measured | None = None, settings: Settings = SETTINGS, **wildcards: str) -> Reckoned:
    job = Job(rule, {"variant": "main", **wildcards}, 1, {"gpu": 0 if rule == "merge_models" else 2})
    return Reckoner(settings, THROUGHPUT, "h100", 8.0, PROBLEMS, measured).reckon(job)


@pytest.mark.parametrize(("steps", "times"), [(3, 4), (5, 6), (8, 9)])
def test_exploring_writes_one_solution_more_than_there_are_steps(steps: int, times: int) -> None:
    work = explored(EXPLORE, 1, HABITS.model_copy(update={"steps": float(steps)}))
    assert work.completions == 2 * steps
    assert work.tokens == pytest.approx(times * 300)


def test_exploring_at_the_scale_of_the_paper() -> None:
    work = explored(EXPLORE, 8000, HABITS)
    assert (work.completions, work.tokens, work.prompt_tokens) == pytest.approx((80_000, 14.4e6, 8e6))
    most = explored_at_most(EXPLORE, 8000, 9216)
    assert (most.completions, most.tokens) == (8000 * 16, 8000 * 16 * 2048)


def test_fewer_rounds_than_steps_end_a_search_early() -> None:
    work = explored(EXPLORE.model_copy(update={"rounds": 2}), 10, HABITS)
    assert work.completions == 40
    assert work.tokens == pytest.approx(10 * 2 * 300 * (1 + 4 / 5))


def test_the_released_stop_rule_spends_every_round() -> None:
    work = explored(EXPLORE.model_copy(update={"stop_rule": "boxed_in_step"}), 1, HABITS)
    assert work.completions == 16
    assert work.tokens == pytest.approx(2 * 300 * (3 + 3 / 5))


def test_whole_samples_are_not_stepwise() -> None:
    whole = EXPLORE.model_copy(update={"strategy": "whole", "samples_per_mode": 8})
    assert explored(whole, 10, HABITS) == Work(80, 24_000, 8_000)
    assert explored_at_most(whole, 10, 1000).tokens == 80 * 2048


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
    overlay = {"rounds": rounds, "samples_per_mode": samples, "stop_rule": rule, "strategy": strategy}
    explore = EXPLORE.model_copy(update=overlay)
    expected = explored(explore, 7, HABITS.model_copy(update={"steps": steps, "solution": solution}))
    most = explored_at_most(explore, 7, 9216)
    assert 0 < expected.completions <= most.completions * (1 + 1e-9)
    assert 0 < expected.tokens <= most.tokens * (1 + 1e-9)


def test_a_set_may_have_samples_of_its_own_and_greedy_answers_are_one() -> None:
    assert answers(SETTINGS, "few", 40) == 40 * (1 + 16)
    assert answers(SETTINGS, "many", 1319) == 1319 * (1 + 2)
    assert answers(SETTINGS, "dev", 250) == 250


@pytest.mark.parametrize(("shard", "problems"), [("00000", 1000), ("00002", 500)])
def test_the_last_shard_holds_the_rest(shard: str, problems: int) -> None:
    job = reckoned("recut_explore", shard=shard)
    assert job.expected.completions == problems * 10
    # 1000 tokens/s on each of two GPUs, after 30 s
    assert job.expected.seconds == pytest.approx(30 + problems * 1800 / 2000)
    assert job.expected.gpu_seconds == 2 * job.expected.seconds
    assert job.most.tokens == problems * 16 * 2048


def test_training_takes_pairs_and_readouts() -> None:
    job = reckoned("train_specialist", specialist="length", lr="1e-05")
    assert job.expected.pairs == pytest.approx(2250 * 0.7)
    assert job.most.pairs == 2250
    assert job.expected.completions == 250 * 5  # before training, and at four checkpoints
    assert job.expected.seconds == pytest.approx(60 + 250 * 5 * 700 / 1000 + 2250 * 0.7 / 2 / 2)
    assert job.disk == 32e9  # float32


def test_a_merge_asks_for_no_gpu_and_writes_one_model() -> None:
    job = reckoned("merge_models", merge="ties")
    assert (job.expected.seconds, job.expected.gpu_seconds, job.disk) == (10 + 8 * 100, 0, 16e9)


def test_evaluation_counts_sets_decodings_and_samples() -> None:
    job = reckoned("evaluate_sample", model="base", prompt="neutral", set="few")
    assert (job.expected.completions, job.expected.tokens) == (40 * 17, 40 * 17 * 700)
    assert job.most.tokens == 40 * 17 * 8192


def test_what_is_unknown_is_named_and_not_counted() -> None:
    job = reckoned("evaluate_sample", model="base", prompt="neutral", set="many")
    assert (job.unknown_work, job.expected) == ("how many problems many has", Work())
    nameless = Reckoner(SETTINGS, THROUGHPUT, "h100", None, PROBLEMS)
    job = nameless.reckon(Job("recut_explore", {"variant": "main", "shard": "00000"}, 1, {"gpu": 1}))
    assert (job.unknown_cost, job.expected.seconds) == ("how large some/model is", 0)
    assert job.expected.completions == 10_000


def test_measurements_take_the_place_of_assumptions() -> None:
    measured = Measured(
        Path("results/pilot"), {"answer": 350.0}, {"train_specialist": 500.0}, {"evaluate_sample": 70.0}
    )
    job = reckoned("evaluate_sample", measured, model="base", prompt="neutral", set="few")
    assert job.expected.tokens == 40 * 17 * 350
    assert job.expected.seconds == pytest.approx(40 * 17 * 350 / 70)
    job = reckoned("train_specialist", measured, specialist="length", lr="1e-05")
    assert job.expected.seconds == 500
    assert job.most.seconds > 500


def test_an_endpoint_is_paid_for_the_base_alone() -> None:
    served = SETTINGS.model_copy(update={"generation": Generation(engine="endpoint", endpoint=endpoint("USD"))})
    base = reckoned("evaluate_sample", None, served, model="base", prompt="neutral", set="few")
    assert base.expected.money == pytest.approx(40 * 17 * (700 * 10 + 100 * 1) / 1e6)
    assert base.most.money == pytest.approx(40 * 17 * (8192 * 10 + 9216 * 1) / 1e6)
    trained = reckoned("evaluate_sample", None, served, model="recut/main/s1/ties", prompt="neutral", set="few")
    assert trained.expected.money == 0
    assert trained.expected.seconds > 0


def test_a_teacher_elsewhere_is_paid_for_its_feedback() -> None:
    guidance = Guidance(rounds=8, teacher=Teacher(endpoint=endpoint("EUR"), max_tokens=50))
    gsi = Gsi(run=["interactive", "state_reset"], guidance=guidance)
    taught = SETTINGS.model_copy(update={"method": "gsi", "gsi": gsi})
    job = reckoned("gsi_guide", None, taught, variant="interactive", shard="0", t="0")
    draws = 1000 * 0.9 * 1.6  # it reads prompt and answer, and says what is wrong
    assert job.expected.completions == pytest.approx(draws)
    assert job.expected.money == pytest.approx(draws * ((100 + 300) * 1 + 50 * 10) / 1e6)
    assert reckoned("gsi_guide", None, taught, variant="state_reset", shard="0", t="0").expected.money == 0
    reckoner = Reckoner(taught, THROUGHPUT, "h100", 8.0, PROBLEMS)
    assert reckoner.currency == "EUR"
    served = taught.model_copy(update={"generation": Generation(engine="endpoint", endpoint=endpoint("USD"))})
    with pytest.raises(UserError, match="USD and EUR"):
        _ = replace(reckoner, settings=served).currency


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
    sets = {**SETTINGS.evaluation.sets, "own": Source(path=str(file)), "some": Source(path=str(file), n=2)}
    evaluation = SETTINGS.evaluation.model_copy(update={"sets": sets})
    settings = SETTINGS.model_copy(update={"evaluation": evaluation})
    counts = problem_counts(settings, THROUGHPUT.problems, tmp_path / "results")
    assert counts == {"few": 40, "many": None, "own": 3, "some": 2, "train": 2500, "dev": 250}
