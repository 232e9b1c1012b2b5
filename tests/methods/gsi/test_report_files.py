from __future__ import annotations

import pytest

from bestpath.catalog import Experiment
from bestpath.methods.gsi.report.files import entries, facts
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring


def view_of(**own):
    settings = load({"experiment": "mine", "seeds": [3], "methods": {"gsi": own}, "embedded": {"pool": 20}})
    return Wiring(Experiment(settings)).of("gsi")


@pytest.fixture(scope="module")
def view():
    return view_of(run=["vanilla", "state_reset", "fill"], iterations=2)


def test_every_reading_has_its_numbers_and_the_id_of_its_model(view):
    given = list(entries(view))
    tails = [entry for entry in given if entry["name"] == "tail"]
    assert [(entry["variant"], entry["t"], entry["seed"]) for entry in tails] == [
        (variant, t, 3) for variant in ("vanilla", "state_reset", "fill") for t in (0, 1)
    ]
    assert len({entry["id"] for entry in tails if entry["t"] == 0}) == 1  # iteration 0 is trained once
    assert [entry["id"] for entry in tails if entry["t"] == 1] == [
        f"gsi/{variant}/s3/t1" for variant in ("vanilla", "state_reset", "fill")
    ]


def test_the_draws_of_all_sets_are_counted(view):
    given = [entry for entry in entries(view) if entry["name"] == "draws"]
    assert all(entry["draws"] for entry in given)
    assert {entry["path"] for entry in given} == {
        "results/mine/gsi/vanilla/s3/draws/0/plain/00000.parquet",
        "results/mine/gsi/state_reset/s3/graded/0/guided/00000.parquet",
    }


def test_without_a_second_iteration_nothing_is_sampled():
    assert [entry["name"] for entry in entries(view_of(run=["vanilla"], iterations=1))] == ["tail", "audit"]


def test_facts_name_the_systems_to_be_shown(view):
    told = facts(view)
    assert told["main"] == "state reset, iteration 1"
    assert told["final"] == ["iteration 0", "vanilla, iteration 1", "state reset, iteration 1", "fill, iteration 1"]
    assert told["guided"] == ["state_reset"]
