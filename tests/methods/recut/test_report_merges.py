from __future__ import annotations

import math

import pytest

from bestpath.methods.recut.report.merges import Merge, merge_of, section_of

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
    merge = merge_of("ties", {"method": "ties", "share": None}, total, CHOICE)
    assert merge.norm_ratio == pytest.approx(3 / mean)
    assert (merge.cosine, merge.sign_agreement, merge.changed, merge.dev_tokens) == (cosine, 0.6, 0.9, 5)
    assert merge.settings == "method ties"


def test_opposite_deltas_have_no_mean_to_compare_with():
    total = {
        "norm/length": 1.0,
        "norm/accuracy": 1.0,
        "norm/merged": 1.0,
        "cosine/length/accuracy": -1.0,
        "sign_agreement/length/accuracy": 0,
        "changed": 1,
    }
    assert merge_of("linear", {}, total, CHOICE).norm_ratio is None


def test_the_section_points_out_the_merge_that_was_chosen():
    merges = [Merge(name, "share 0.5", 0.9, 60.0, 0.2, 0.5, 1.0, 0.9, name == "ties") for name in ("linear", "ties")]
    _, table, bullets = section_of(merges, ("Linear loses.",)).blocks
    assert [line.chosen for line in table.lines] == [False, True]
    assert (table.name, table.lines[1].values[0], table.lines[1].note) == ("merges", "ties", "chosen on dev")
    assert bullets.items == ("Linear loses.",)
    assert len(section_of(merges, ()).blocks) == 2
