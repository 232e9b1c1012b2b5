from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.stages.report.blocks import Chart, Estimate, Facts, Table
from bestpath.stages.report.training import (
    Trained,
    charts_of,
    pretraining_section,
    training_of,
    training_run,
    training_section,
    warnings_of,
)


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


def test_a_model_has_the_facts_of_its_training_set():
    pairs = [{"chosen_tokens": 20, "rejected_tokens": 40}, {"chosen_tokens": 30, "rejected_tokens": 50}]
    slower = Trained("length specialist", 1e-5, 1, METRICS)
    shown = training_of("length specialist", [slower, RUN], {"learning_rate": 2e-5, "criterion": "length"}, pairs)
    assert [run.chosen_step for run in shown.runs] == [None, 20]
    assert (shown.base.step, shown.base.tokens) == (0, 80)
    assert shown.facts == (
        ("training rows", "2"),
        ("mean tokens of the winners", "25.0"),
        ("mean tokens of the losers", "45.0"),
    )


@pytest.fixture
def trained():
    """A model with two learning rates, of which the second was chosen."""
    pairs = [{"chosen_tokens": 20, "rejected_tokens": 40}]
    runs = [Trained("length specialist", rate, 1, METRICS) for rate in (1e-5, 2e-5)]
    return training_of("length specialist", runs, {"learning_rate": 2e-5, "criterion": "length"}, pairs)


def test_charts_leave_out_what_was_not_recorded(trained):
    assert [chart.name for chart in charts_of(trained)] == [
        "length specialist-loss", "length specialist-margin",
        "length specialist-dev accuracy", "length specialist-dev tokens",
    ]  # fmt: skip
    runs = tuple(replace(run, dev_loss=(), margin=(), readouts=()) for run in trained.runs)
    assert [chart.name for chart in charts_of(replace(trained, runs=runs))] == ["length specialist-loss"]


def test_a_curve_s_name_is_its_learning_rate_and_the_choice_is_marked(trained):
    chart = charts_of(trained)[3]
    assert [curve.label for curve in chart.curves] == ["1e-5", "2e-5"]
    assert [curve.marked for curve in chart.curves] == [None, 20]
    assert chart.reference == ("base", 80)


def test_the_section_has_charts_facts_and_every_reading(trained):
    section = training_section([trained])
    assert [type(block) for block in section.blocks if isinstance(block, Chart | Facts | Table)] == [
        Facts, Chart, Chart, Chart, Chart, Table,
    ]  # fmt: skip
    readings = section.blocks[-1]
    assert [line.values[1:4] for line in readings.lines] == [
        (rate, 1, step) for rate in (1e-5, 2e-5) for step in (0, 10, 20)
    ]
    assert [line.chosen for line in readings.lines] == [False] * 5 + [True]
    assert readings.lines[0].values[4] == Estimate(0.9, 0.02)


def test_pretraining_shows_each_lesson():
    rows = [
        metric(1, "train/loss", 2.0),
        metric(2, "train/loss", 1.0),
        metric(2, "held-out/recut/long/loss", 0.5),
        metric(2, "held-out/recut/long/token_accuracy", 0.75),
    ]
    _, chart, table = pretraining_section(rows).blocks
    assert [line.values for line in table.lines] == [("recut/long", 0.5, 0.75)]
    assert chart.curves[0].y == (2.0, 1.0)
