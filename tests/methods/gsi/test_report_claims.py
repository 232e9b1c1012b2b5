from __future__ import annotations

from bestpath.methods.gsi.report.claims import Claim, claims, control_sentences
from bestpath.methods.gsi.report.story import Story
from tests.methods.gsi.readings import reading, story


def test_claims_hold_or_not() -> None:
    assert [claim.holds for claim in claims(story())] == [True] * 5
    poor = Story([reading(v, t, share=0.5) for v in ("vanilla", "state_reset") for t in (0, 1)])
    assert not any(claim.holds for claim in claims(poor) if "within 2 points" not in claim.text)


def test_a_claim_that_does_not_hold_says_so() -> None:
    held, missed = (Claim("state reset: at most half", "5 against 20", holds) for holds in (True, False))
    assert held.sentence == "State reset: at most half: 5 against 20."
    assert missed.sentence == "State reset: at most half: 5 against 20 — not met."
    assert missed.warning == "state reset: at most half: does not hold (5 against 20)."


def test_the_control_is_named_where_guidance_does_not_beat_it() -> None:
    [sentence] = control_sentences(story(), ["state_reset"])
    assert sentence.startswith("State reset does not beat the control") and "75.0 against 75.5 %" in sentence
    assert control_sentences(Story([reading("vanilla", 0)]), ["state_reset"]) == []
