from __future__ import annotations

import pytest

from bestpath.stages.report import tails
from bestpath.stages.report.tails import Reading, Story

LEVELS = {"a": "1", "b": "1", "c": "2", "d": "2"}


def reading(variant: str, t: int, seed: int = 1, share: float = 0.1, right: tuple[int, int] = (90, 30), **tail):  # type: ignore[no-untyped-def]
    numbers = {
        ("row_share", "1"): 1 - share,
        ("row_share", "2"): share,
        ("coverage", "2"): tail.pop("coverage", 0.5),
        ("draws", "guided"): tail.pop("draws", 0.0),
        ("generated_tokens", "plain"): 100.0 * t,
        ("rows", ""): 50.0,
    }
    return Reading(variant, t, seed, numbers, {"1": (right[0], 100), "2": (right[1], 100)})


def story(*further: Reading) -> Story:
    first = [reading(variant, 0, share=0.5) for variant in ("vanilla", "state_reset", "fill")]
    own = reading("state_reset", 1, share=0.3, right=(90, 60), coverage=0.9, draws=40.0)
    control = reading("fill", 1, share=0.4, right=(90, 61), coverage=0.9)
    return Story([*first, reading("vanilla", 1), own, control, *further])


def test_numbers_are_means_over_seeds() -> None:
    told = Story([reading("vanilla", 1, 1, share=0.1), reading("vanilla", 1, 2, share=0.3, right=(90, 50))])
    assert told.value("vanilla", 1, "row_share", "2") == pytest.approx(0.2)
    assert told.accuracy("vanilla", 1, ["2"]) == pytest.approx(0.4)
    assert told.spread("vanilla", 1, ["2"]) == pytest.approx(0.1)  # of two seeds: .3 and .5
    assert told.value("vanilla", 1, "unheard_of") is None


def test_a_single_seed_has_a_binomial_error() -> None:
    assert story().spread("vanilla", 1, ["2"]) == pytest.approx((0.3 * 0.7 / 100) ** 0.5)


def test_claims_hold_or_not() -> None:
    held = {text.split(":")[0] + text[-20:]: holds for text, _, holds in tails.claims(story())}
    assert list(held.values()) == [True, True, True, True, True]
    poor = Story([reading(v, t, share=0.5) for v in ("vanilla", "state_reset") for t in (0, 1)])
    assert not any(holds for text, _, holds in tails.claims(poor) if "within 2 points" not in text)


def test_the_control_is_named_where_guidance_does_not_beat_it() -> None:
    [sentence] = tails.control_sentences(story(), ["state_reset"])
    assert sentence.startswith("State reset does not beat the control") and "75.0 against 75.5 %" in sentence
    assert tails.control_sentences(Story([reading("vanilla", 0)]), ["state_reset"]) == []


def test_the_sections_have_a_line_a_variant_and_iteration() -> None:
    told = story()
    assert [row[:2] for row in tails.tail_extra(told).table[1:]] == [
        ("vanilla", "1"), ("state reset", "1"), ("fill", "1"),
    ]  # fmt: skip
    accuracy = tails.accuracy_extra(told)
    assert accuracy.table[0][2:] == ("level 1, %", "level 2, %", "mean, %")
    assert accuracy.table[1][:2] == ("all", "0")
    cost = accuracy.charts[-1]
    assert cost.lines[0].x == (0.0, 0.1)  # thousand tokens
    help_ = tails.help_extra(told, {"fill": {"duplicate": 3}})
    assert help_.table[-1][-1] == "duplicate 3"


def test_answers_are_counted_by_level() -> None:
    scores = [{"problem_id": name, "verdict": "correct" if name in "abc" else "wrong"} for name in "abcd"]
    assert tails.correct_by_level(scores, LEVELS) == {"1": (2, 2), "2": (1, 2)}
