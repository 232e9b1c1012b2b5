from __future__ import annotations

from bestpath.methods.recut.report.verdicts import merge_verdicts
from bestpath.stages.evaluation.verdicts import dominating
from tests.stages.evaluation.runs import base, results, run


def test_a_merge_that_loses_is_called_so_and_one_that_holds_too():
    length = run("length specialist", 0.9, 40)
    ties, linear = run("merged: ties", 0.8, 50, kind="merged"), run("merged: linear", 0.95, 60, kind="merged")
    made = results(base(), length, ties, linear)
    loses, holds = merge_verdicts(made)
    assert loses.startswith("test, greedy: merged: ties loses to length specialist, 80.0 % with ")
    assert holds == "test, greedy: no unmerged system beats merged: linear on both counts."
    assert [r.system for r in dominating(made[2], made)] == ["length specialist"]


def test_a_merge_loses_only_against_systems_without_a_merge():
    one, two = run("merged: a", 0.95, 40, kind="merged"), run("merged: b", 0.93, 50, kind="merged")
    assert merge_verdicts(results(base(), one, two)) == [
        "test, greedy: no unmerged system beats merged: a and merged: b on both counts."
    ]
    assert merge_verdicts(results(base())) == []


def test_a_merge_of_a_variant_is_not_judged_by_another_variant_s_specialist():
    rival = run("length specialist (bare)", 0.95, 40, variant="bare")
    made = results(base(), rival, run("merged: a", 0.92, 50, kind="merged"))
    assert "loses" not in merge_verdicts(made)[0]


def test_a_merge_is_judged_by_its_own_method_and_the_base():
    rival = run("iteration 2", 0.95, 40, method="gsi")
    made = results(base(), rival, run("merged: a", 0.92, 50, kind="merged", method="recut"))
    assert "loses" not in merge_verdicts(made)[0]
    made = results(base(), run("merged: a", 0.85, 80, kind="merged", method="recut"))
    assert "merged: a loses to base" in merge_verdicts(made)[0]
