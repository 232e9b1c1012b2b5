from __future__ import annotations

from bestpath.stages.report.words import REASONS, in_words


def test_a_reason_is_said_in_the_method_s_words_or_the_common_ones_or_as_it_is():
    assert in_words("truncated") == REASONS["truncated"]
    assert in_words("truncated", {"truncated": "cut off by the critic"}) == "cut off by the critic"
    assert in_words("brand_new_reason", {"other": "x"}) == "brand new reason"
