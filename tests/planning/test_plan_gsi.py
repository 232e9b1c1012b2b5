"""Which variant of GSI owns a stage, and which models there are."""

from __future__ import annotations

import pytest

from bestpath.core.errors import UserError
from bestpath.plan import endpoints, models, prompt_folder, system_of
from bestpath.plan.gsi import owner
from bestpath.planning.configuration import load
from bestpath.settings import Settings


def settings(**gsi: object) -> Settings:
    return Settings.model_validate({"method": "gsi", "gsi": gsi})


@pytest.mark.parametrize(
    ("variant", "stage", "t", "home"),
    [
        ("state_reset", "set", 0, "vanilla"),
        ("state_reset", "train", 0, "vanilla"),
        ("brute", "plain", 0, "vanilla"),
        ("brute", "guided", 0, "brute"),
        ("brute_uniform", "guided", 0, "brute"),  # it selects otherwise, and draws alike
        ("brute_uniform", "set", 1, "brute_uniform"),
        ("brute_uniform", "guided", 1, "brute_uniform"),  # from another model
        ("fill", "plain", 0, "vanilla"),
        ("fill", "set", 1, "fill"),
        ("main", "set", 1, "state_reset"),
        ("star", "plain", 0, "star"),  # one draw a question
        ("continued", "train", 0, "continued"),
    ],
)
def test_a_stage_belongs_to_the_first_variant_with_the_same_settings(
    variant: str, stage: str, t: int, home: str
) -> None:
    assert owner(settings(), variant, stage, t) == home


def test_k_does_not_concern_vanilla() -> None:
    for k in (1, 8):
        assert owner(settings(guidance={"k": k}), "vanilla", "set", 1) == "vanilla"


def test_a_budget_depends_on_the_variant_that_sets_it() -> None:
    changed = settings(
        variants={**Settings().gsi.variants, "brute_equal": {"guidance": {"strategy": "plain", "rounds": 32}}}
    )
    assert owner(settings(), "brute_equal", "set", 1) == "brute_equal"
    assert owner(changed, "brute_equal", "set", 1) == "brute"


def test_every_model_is_there_once() -> None:
    found = list(models(settings(iterations=2, run=["vanilla", "state_reset", "main"])))
    assert found == ["gsi/vanilla/s1/t0", "gsi/vanilla/s1/t1", "gsi/state_reset/s1/t1"]


def test_names_and_prompts() -> None:
    assert system_of("gsi/vanilla/s1/t0", "plain")["system"] == "iteration 0"
    assert system_of("gsi/state_reset/s2/t1", "plain") == {
        "system": "state reset, iteration 1",
        "kind": "specialist",
        "variant": "state_reset",
        "seed": 2,
    }
    assert prompt_folder(settings(sample={"mode": "pot"})) == "config/prompts/gsi-pot"


def test_the_order_of_the_configuration_moves_no_artifact() -> None:
    """An overlay that changes one variant puts it first in the merged configuration."""
    variants = Settings().gsi.variants
    moved = settings(variants={"fill": variants["fill"], "mine": {"select": {"cap": 2}}, **variants})
    assert owner(moved, "state_reset", "train", 0) == "vanilla"
    assert owner(moved, "mine", "guided", 0) == "state_reset"


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"sample": {"mode": "pot"}}, "has a mode of its own; set gsi.sample.mode"),
        (
            {"select": {"tokens_of": "vanilla"}},
            "takes the tokens of 'vanilla', which is no variant with a guided phase",
        ),
        ({"select": {"tokens_of": "brute_equal"}}, "takes the tokens of 'brute_equal'"),
        ({"select": {"tokens_of": "nobody"}}, "takes the tokens of 'nobody'"),
        ({"guidance": {"strategy": "hint"}}, "gsi.variants.mine.guidance.strategy"),
    ],
)
def test_a_variant_that_makes_no_sense_is_one_sentence(variant: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load({"method": "gsi", "gsi": {"variants": {**Settings().gsi.variants, "mine": variant}}})


def test_a_teacher_elsewhere_is_an_endpoint_of_the_run() -> None:
    teacher = {"guidance": {"teacher": {"endpoint": {"url": "http://localhost:8000/v1", "model": "large"}}}}
    assert endpoints(settings(run=["vanilla", "state_reset"], **teacher)) == {}
    [(key, endpoint)] = endpoints(settings(run=["vanilla", "interactive"], **teacher)).items()
    assert (key, endpoint.model) == ("gsi.guidance.teacher.endpoint", "large")
