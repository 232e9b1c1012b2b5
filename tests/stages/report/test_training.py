from __future__ import annotations

import math

import pytest

from bestpath.stages.report.training import Trained, merge_of, pretraining_of, specialist_of, training_run, warnings_of


def metric(step, name, value):
    return {"step": step, "name": name, "value": value}


METRICS = [
    *(metric(step, "train/loss", 0.7 - step / 100) for step in (20, 10)),
    metric(10, "train/rewards/margins", 0.1),
    metric(10, "dev/loss", 0.65),
    *(metric(step, "readout/accuracy", 0.9) for step in (0, 10, 20)),
    *(metric(step, "readout/mean_tokens", 80.0 - step) for step in (0, 10, 20)),
    *(metric(step, "readout/standard_error", 0.02) for step in (0, 10, 20)),
    metric(20, "chosen", 1.0),
    metric(20, "warning/length_unchanged", 1.0),
]

RUN = Trained("length specialist", 2e-5, 1, METRICS)


def test_a_training_run_comes_from_its_metrics():
    run = training_run(RUN, taken=True)
    assert run.loss == ((10, pytest.approx(0.6)), (20, pytest.approx(0.5)))
    assert run.margin == ((10, 0.1),)
    assert [(r.step, r.tokens) for r in run.readouts] == [(0, 80), (10, 70), (20, 60)]
    assert run.chosen_step == 20
    assert training_run(RUN, taken=False).chosen_step is None


def test_a_run_without_readouts_has_none():
    assert training_run(Trained("SFT", 1e-5, 1, [metric(1, "train/loss", 0.5)]), taken=True).readouts == ()


def test_warnings_are_sentences():
    (warning,) = warnings_of([RUN])
    assert warning == "length specialist, 2e-05: the mean length on the dev problems moved by less than 2 %."


CHOICE = {"chosen": "ties", "merges": {name: {"accuracy": 0.9, "mean_tokens": 5} for name in ("ties", "linear")}}


@pytest.mark.parametrize(("cosine", "mean"), [(1.0, 1.5), (0.0, math.sqrt(5) / 2), (-1.0, 0.5)])
def test_a_merge_s_norm_is_set_against_the_mean_of_the_deltas(cosine, mean):
    total = {
        "norm/length": 1.0,
        "norm/accuracy": 2.0,
        "norm/merged": 3.0,
        "cosine/length/accuracy": cosine,
        "sign_agreement/length/accuracy": 0.6,
        "changed": 0.9,
    }
    merge = merge_of("ties", {"method": "ties", "share": None}, total, ("length", "accuracy"), CHOICE)
    assert merge.norm_ratio == pytest.approx(3 / mean)
    assert (merge.cosine, merge.sign_agreement, merge.changed, merge.dev_tokens) == (cosine, 0.6, 0.9, 5)
    assert merge.settings == "method ties"


def test_opposite_deltas_have_no_mean_to_compare_with():
    total = {
        "norm/a": 1.0,
        "norm/b": 1.0,
        "norm/merged": 1.0,
        "cosine/a/b": -1.0,
        "sign_agreement/a/b": 0,
        "changed": 1,
    }
    assert merge_of("linear", {}, total, ("a", "b"), CHOICE).norm_ratio is None


def test_a_specialist_has_the_facts_of_its_training_set():
    pairs = [{"chosen_tokens": 20, "rejected_tokens": 40}, {"chosen_tokens": 30, "rejected_tokens": 50}]
    slower = Trained("length specialist", 1e-5, 1, METRICS)
    shown = specialist_of("length specialist", [slower, RUN], {"learning_rate": 2e-5, "criterion": "length"}, pairs)
    assert [run.chosen_step for run in shown.runs] == [None, 20]
    assert (shown.base.step, shown.base.tokens) == (0, 80)
    assert shown.facts == (
        ("training rows", "2"),
        ("mean tokens of the winners", "25.0"),
        ("mean tokens of the losers", "45.0"),
    )


def test_pretraining_shows_each_lesson():
    rows = [
        metric(1, "train/loss", 2.0),
        metric(2, "train/loss", 1.0),
        metric(2, "held-out/recut/long/loss", 0.5),
        metric(2, "held-out/recut/long/token_accuracy", 0.75),
    ]
    extra = pretraining_of(rows)
    assert extra.table[1:] == (("recut/long", "0.500", "75.0"),)
    assert extra.charts[0].lines[0].y == (2.0, 1.0)
