"""Which variant of GSI owns a stage, which models there are, and what they are called."""

from __future__ import annotations

from typing import Any

import pytest

from bestpath.catalog import METHODS, Experiment
from bestpath.core.declarations import Named
from bestpath.core.errors import UserError
from bestpath.planning.configuration import load

TEACHER = {"url": "http://localhost:8000/v1", "model": "large"}


def experiment(models: dict[str, Any] | None = None, **gsi: Any) -> Experiment:
    return Experiment(load({"methods": {"gsi": gsi}, "models": models or {}}))


@pytest.mark.parametrize(
    ("variant", "stage", "t", "home"),
    [
        ("state_reset", "select", 0, "vanilla"),
        ("state_reset", "train", 0, "vanilla"),
        ("brute", "draw", 0, "vanilla"),
        ("brute", "guide", 0, "brute"),
        ("brute_uniform", "guide", 0, "brute"),  # it selects otherwise, and draws alike
        ("brute_uniform", "select", 1, "brute_uniform"),
        ("brute_uniform", "guide", 1, "brute_uniform"),  # from another model
        ("fill", "draw", 0, "vanilla"),
        ("fill", "select", 1, "fill"),
        ("main", "select", 1, "state_reset"),
        ("star", "draw", 0, "star"),  # one draw a question
        ("star", "train", 0, "vanilla"),
        ("continued", "train", 0, "vanilla"),  # all start from the base at first
        ("continued", "train", 1, "continued"),
        ("released", "draw", 0, "vanilla"),  # another verifier draws nothing anew
        ("released", "grade", 0, "released"),
        ("released", "draw", 1, "released"),
    ],
)
def test_a_stage_belongs_to_the_first_variant_with_the_same_settings(
    variant: str, stage: str, t: int, home: str
) -> None:
    assert experiment().home("gsi", variant, stage, f"t{t}" if stage == "train" else str(t)) == home


def test_k_does_not_concern_vanilla() -> None:
    for k in (1, 8):
        assert experiment(guidance={"k": k}).home("gsi", "vanilla", "select", "1") == "vanilla"


def test_vanilla_has_no_guided_phase() -> None:
    with pytest.raises(ValueError, match="variant vanilla of gsi has no guide 0"):
        experiment().home("gsi", "vanilla", "guide", "0")


def test_a_budget_depends_on_the_variant_that_sets_it() -> None:
    changed = experiment(variants={"brute_equal": {"select": {"tokens_of": None}}})
    assert experiment().home("gsi", "brute_equal", "select", "1") == "brute_equal"
    assert changed.home("gsi", "brute_equal", "select", "1") == "brute"


def test_every_model_is_there_once() -> None:
    names = [model.name for model in experiment(iterations=2, run=["vanilla", "state_reset", "main"]).trained()]
    assert names == ["gsi/vanilla/s1/t0", "gsi/vanilla/s1/t1", "gsi/state_reset/s1/t1"]


def test_names_and_prompts() -> None:
    named = METHODS["gsi"].named
    assert named("vanilla", "t0") == Named("iteration 0", "baseline", 0)
    assert named("state_reset", "t1") == Named("state reset, iteration 1", "specialist", 1)
    assert experiment().prompt_folder("gsi") == "config/prompts/gsi"
    assert experiment(sample={"mode": "pot"}).prompt_folder("gsi") == "config/prompts/gsi-pot"


def test_programs_are_read_in_the_isolation_that_is_asked_for() -> None:
    programs = experiment(sample={"mode": "pot", "min_level": "bubblewrap"}, iterations=1)
    assert {(system.reader, system.isolation) for system in programs.systems.values()} == {("program", "bubblewrap")}
    assert {(system.reader, system.isolation) for system in experiment().systems.values()} == {("text", "")}


def test_the_order_of_the_configuration_moves_no_artifact() -> None:
    """An overlay that changes one variant puts it first in the merged configuration."""
    variants = METHODS["gsi"].settings().variants
    moved = experiment(variants={"fill": variants["fill"], "mine": {"select": {"cap": 2}}, **variants})
    assert moved.home("gsi", "state_reset", "train", "t0") == "vanilla"
    assert moved.home("gsi", "mine", "guide", "0") == "state_reset"


def test_a_model_is_made_from_all_draws_before_it() -> None:
    made = experiment(iterations=3, run=["state_reset"])
    last = next(model for model in made.trained() if model.item == "t2")
    upstream = set(made.upstream(last))
    assert {place for place in upstream if place[0] == "draw"} == {
        ("draw", "vanilla", "0"),
        ("draw", "state_reset", "1"),
    }
    assert {place[2] for place in upstream if place[0] == "guide"} == {"0", "1"}
    assert [training.item for training in made.trainings(last)] == ["t2"]  # from the base again
    continued = experiment(iterations=3, run=["continued"])
    last = next(model for model in continued.trained() if model.item == "t2")
    assert [(t.variant, t.item) for t in continued.trainings(last)] == [
        ("continued", "t2"),
        ("continued", "t1"),
        ("vanilla", "t0"),
    ]


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"sample": {"mode": "pot"}}, r"has a mode of its own; set methods\.gsi\.sample\.mode"),
        (
            {"select": {"tokens_of": "vanilla"}},
            "takes the tokens of 'vanilla', which is no variant with a guided phase",
        ),
        ({"select": {"tokens_of": "brute_equal"}}, "takes the tokens of 'brute_equal'"),
        ({"select": {"tokens_of": "nobody"}}, "takes the tokens of 'nobody'"),
        ({"guidance": {"strategy": "hint"}}, r"methods\.gsi\.variants\.mine\.guidance\.strategy"),
    ],
)
def test_a_variant_that_makes_no_sense_is_one_sentence(variant: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        experiment(variants={"mine": variant})


def test_a_teacher_elsewhere_is_an_endpoint_of_the_run() -> None:
    teacher = {"teacher": {"endpoint": TEACHER}}
    assert experiment(teacher, run=["vanilla", "state_reset"]).endpoints() == {}
    taught = experiment(teacher, run=["vanilla", "interactive"])
    [(name, entry)] = taught.endpoints().items()
    assert (name, entry.endpoint and entry.endpoint.model) == ("teacher", "large")
    assert taught.player("gsi", "interactive", "teacher") == "teacher"
    assert experiment().player("gsi", "interactive", "teacher") == "base"
    named = experiment({"large": {"endpoint": TEACHER}}, roles={"teacher": "large"})
    assert named.player("gsi", "interactive", "teacher") == "large"
    assert named.player("gsi", "interactive", "actor") == "trained"
