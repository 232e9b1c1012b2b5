from __future__ import annotations

from dataclasses import replace

import pytest

from bestpath.core.errors import UserError
from bestpath.core.systems import Spent
from bestpath.core.tables import read_table, write_table
from bestpath.stages.evaluation.results import joined_metrics, metric_rows, results_of
from bestpath.stages.evaluation.tables import DIFFERENCES, METRICS
from tests.stages.evaluation.runs import base, results, run


def test_results_keep_their_order_and_compare_with_the_base_of_the_same_decoding():
    made = results(
        base(),
        run("base", 0.8, 70, "sampled", "base"),
        run("length specialist", 0.9, 38),
        run("length specialist", 0.6, 35, "sampled"),
    )
    assert [(r.system, r.decoding) for r in made] == [
        ("base", "greedy"),
        ("length specialist", "greedy"),
        ("base", "sampled"),
        ("length specialist", "sampled"),
    ]
    assert made[0].reference is None
    assert made[1].token_ratio == pytest.approx(0.5, abs=0.02)
    assert made[3].delta == pytest.approx(-0.2)


def test_seeds_of_a_system_become_one_result():
    made = results(base(), run("length specialist", 0.9, 40, seed=1), run("length specialist", 0.8, 40, seed=2))
    assert len(made) == 2
    assert made[1].seeds == 2
    assert made[1].accuracy == pytest.approx(0.85)
    assert made[1].delta_seed_sd == pytest.approx(0.0707, abs=1e-4)


def test_variants_stand_apart_and_share_the_base():
    made = results(base(), run("merged", 0.9, 60), run("merged (released pairs)", 0.5, 60, variant="released pairs"))
    assert [r.system for r in made] == ["base", "merged", "merged (released pairs)"]
    assert made[2].delta == pytest.approx(-0.4)


def test_a_missing_base_and_a_run_given_twice_are_refused():
    with pytest.raises(UserError, match="no base"):
        results(base(), run("merged", 0.9, 60, "sampled"))
    with pytest.raises(UserError, match="twice for seed 0"):
        results(base(), base())


def test_two_systems_of_one_name_are_refused():
    with pytest.raises(UserError, match=r"'merged' \(bare\) on test, greedy, is another system than 'merged' \(main\)"):
        results(base(), run("merged", 0.9, 60, seed=1), run("merged", 0.8, 60, seed=2, variant="bare"))


def test_any_two_systems_are_compared_and_the_reference_stands_on_the_side_of_the_reference():
    runs = [run("a", 0.8, 40), base(), run("b", 0.9, 50), run("a", 0.7, 40, "sampled"), base(decoding="sampled")]
    made = results_of(runs, seed=1, resamples=300)
    pairs = {(d["decoding"], d["system"], d["reference"], d["metric"]): d for d in made.differences}
    assert {key[:3] for key in pairs} == {
        ("greedy", "a", "base"), ("greedy", "b", "base"), ("greedy", "b", "a"), ("sampled", "a", "base"),
    }  # fmt: skip
    assert len(pairs) == 8
    assert all(row.keys() == DIFFERENCES.columns.keys() for row in made.differences)
    between = pairs["greedy", "b", "a", "accuracy"]
    assert (between["value"], between["n"], between["dataset"]) == (pytest.approx(0.1), 400, "test")
    assert between["ci_low"] < 0.1 < between["ci_high"]
    line = made.systems[0]
    assert (line.system, line.reference) == ("a", "base")
    for metric, numbers in (
        ("accuracy", (line.delta, line.delta_low, line.delta_high)),
        ("tokens", (line.token_ratio, line.ratio_low, line.ratio_high)),
    ):
        row = pairs["greedy", "a", "base", metric]
        assert numbers == (row["value"], row["ci_low"], row["ci_high"])


def test_pairs_are_written_in_the_order_of_the_table(tmp_path):
    runs = [base(n=20), run("z", 0.5, 40, n=20), run("m", 0.5, 50, n=20), run("a", 0.5, 50, n=20)]
    made = results_of(runs, seed=1, resamples=50)
    write_table(tmp_path / "differences.parquet", DIFFERENCES, made.differences)
    rows = read_table(tmp_path / "differences.parquet", DIFFERENCES)
    pairs = [("z", "base"), ("m", "base"), ("a", "base"), ("m", "z"), ("a", "z"), ("a", "m")]
    assert [(row["system"], row["reference"]) for row in rows] == 2 * pairs
    assert rows == made.differences


def test_both_decodings_of_a_data_set_share_their_resamples():
    runs = [run("a", 0.8, 40), base(), run("b", 0.9, 50)]
    made = results_of([*runs, *(replace(one, decoding="again") for one in runs)], seed=1, resamples=300)
    first, second = ([d for d in made.differences if d["decoding"] == decoding] for decoding in ("greedy", "again"))
    assert [{**d, "decoding": "again"} for d in first] == second


def test_a_reference_of_another_name():
    made = results_of([base(), run("iteration 0", 0.8, 60)], seed=1, reference="iteration 0", resamples=50)
    assert [(line.system, line.reference) for line in made.systems] == [("base", "iteration 0"), ("iteration 0", None)]
    assert made.systems[0].delta == pytest.approx(0.1)
    with pytest.raises(UserError, match="has no iteration 0 to be compared with"):
        results_of([base()], seed=1, reference="iteration 0")


def test_methods_and_costs_are_in_the_line_and_repetitions_have_their_mean():
    made = results(
        base(),
        run("one", 0.9, 40, seed=1, method="gsi", spent=Spent(100, 10, 5, 50)),
        run("one", 0.9, 40, seed=2, method="gsi", spent=Spent(300, 10, 6, 70)),
    )
    assert [line.method for line in made] == ["", "gsi"]
    one = made[1]
    assert (one.sampled_tokens, one.teacher_tokens, one.trained_rows, one.trained_tokens) == (200, 10, 5.5, 60)
    assert (made[0].sampled_tokens, made[0].trained_rows) == (0, 0)


def test_a_derived_system_needs_neither_seed_nor_equal_numbers_of_samples():
    samples = [
        replace(one, scores=[{**row, "sample_id": f"{row['problem_id']}.{i}"} for row in one.scores for i in range(4)])
        for one in (base(), run("length specialist", 0.9, 40, seed=3))
    ]
    derived = run("length specialist, best of 4", 0.95, 160, kind="derived")
    line = results(*samples, derived)[2]
    assert (line.kind, line.problems, line.samples, line.seeds) == ("derived", 400, 400, 1)
    assert line.delta == pytest.approx(0.05)
    assert line.token_ratio == pytest.approx(160 / 76, rel=0.02)


def test_an_ungraded_system_has_a_line_without_accuracy():
    runs = [replace(one, scores=[{**row, "verdict": "ungraded"} for row in one.scores]) for one in
            (base(), run("critic", 0.9, 38))]  # fmt: skip
    made = results_of(runs, seed=1, resamples=50)
    critic = made.systems[1]
    assert (critic.accuracy, critic.delta, critic.delta_low) == (None, None, None)
    assert critic.token_ratio == pytest.approx(0.5, abs=0.02)
    assert {d["metric"] for d in made.differences} == {"tokens"}
    metrics = {row["metric"] for row in metric_rows(made.systems)}
    assert {"tokens", "token_ratio"} <= metrics
    assert not {"accuracy", "accuracy_se", "accuracy_difference", "tokens_wrong"} & metrics


def test_metric_rows_fit_the_table_and_leave_out_what_does_not_exist():
    made = metric_rows(results(base(), run("m", 0.0, 40)))
    ours = {row["metric"]: row for row in made if row["system"] == "m"}
    assert all(row.keys() == METRICS.columns.keys() for row in made)
    assert {"accuracy", "tokens", "token_ratio", "accuracy_difference"} <= ours.keys()
    assert not {"tokens_correct", "accuracy_seed_sd"} & ours.keys()
    assert ours["tokens"]["reference"] is None and ours["token_ratio"]["reference"] == "base"


def test_long_rows_name_the_decoding():
    made = metric_rows(results(base(), run("a (bare)", 0.9, 40, variant="bare")))
    assert {(row["dataset"], row["decoding"]) for row in made} == {("test", "greedy")}
    assert {row["system"] for row in made} == {"base", "a (bare)"}


def added(system="critic", metric="win rate", reference=None):
    return {"system": system, "reference": reference, "dataset": "test", "decoding": "greedy", "metric": metric,
            "value": 0.5, "ci_low": None, "ci_high": None, "n": 10}  # fmt: skip


def test_methods_add_metrics_of_their_own():
    own = metric_rows(results(base()))
    more = [added(), added(reference="base"), added(metric="leakage")]
    assert joined_metrics(own, {"judged.parquet": more}, ["base", "critic"]) == [*own, *more]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (added("criticc"), "judged.parquet holds the metric win rate of 'criticc', which is no system"),
        (added("base", reference="judge"), "of 'judge', which is no system of this experiment; declare"),
        (added("base", "accuracy"), "the metric accuracy of 'base' on test, greedy, which is there already"),
    ],
)
def test_metrics_of_no_system_and_metrics_given_twice_are_refused(row, says):
    own = metric_rows(results(base()))
    with pytest.raises(UserError, match=says):
        joined_metrics(own, {"judged.parquet": [row]}, ["base", "critic"])
    with pytest.raises(UserError, match=r"b.parquet holds the metric win rate of 'critic'.*already"):
        joined_metrics(own, {"a.parquet": [added()], "b.parquet": [added()]}, ["base", "critic"])
