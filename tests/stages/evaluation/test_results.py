from __future__ import annotations

import csv
import io
import json
import random

import pytest

from bestpath.core.errors import UserError
from bestpath.stages.evaluation.results import Run, long_rows, read_results, results_of, wide_row
from bestpath.stages.evaluation.table import csv_text, markdown, terminal, write_results
from bestpath.stages.evaluation.verdicts import (
    decoding_verdicts,
    dominating,
    headline,
    judgement,
    merge_verdicts,
    verdict,
    verdicts,
)
from bestpath.stages.evaluation.words import points, tokens_change


def run(system, accuracy, tokens, decoding="greedy", kind="specialist", n=400, seed=0, variant="main", cut=0.0):
    """A run whose first `accuracy` share of problems is right; lengths spread a little around `tokens`."""
    rng = random.Random(f"{system}{decoding}{seed}")
    scores = [
        {
            "problem_id": f"p{i:03}",
            "sample_id": f"p{i:03}.0",
            "answer": "1",
            "verdict": "correct" if i < accuracy * n else "wrong",
            "rule": "boxed",
            "n_tokens": tokens + rng.randint(-9, 9),
            "finish_reason": "length" if i >= n - cut * n else "stop",
        }
        for i in range(n)
    ]
    return Run(system, kind, "test", decoding, 160, scores, variant, seed)


def base(**more):
    return run("base", 0.9, 76, kind="base", **more)


def results(*runs):
    return results_of(runs, seed=1, resamples=500)


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
    assert made[0].compared is None
    assert made[1].compared.token_ratio == pytest.approx(0.5, abs=0.02)
    assert made[3].compared.delta == pytest.approx(-0.2)


def test_seeds_of_a_system_become_one_result():
    made = results(base(), run("length specialist", 0.9, 40, seed=1), run("length specialist", 0.8, 40, seed=2))
    assert len(made) == 2
    assert made[1].measured.seeds == 2
    assert made[1].measured.accuracy == pytest.approx(0.85)
    assert made[1].compared.delta_seed_sd == pytest.approx(0.0707, abs=1e-4)


def test_variants_stand_apart_and_share_the_base():
    made = results(base(), run("merged", 0.9, 60), run("merged (released pairs)", 0.5, 60, variant="released pairs"))
    assert [r.system for r in made] == ["base", "merged", "merged (released pairs)"]
    assert made[2].compared.delta == pytest.approx(-0.4)


def test_a_missing_base_and_a_run_given_twice_are_refused():
    with pytest.raises(UserError, match="no base"):
        results(base(), run("merged", 0.9, 60, "sampled"))
    with pytest.raises(UserError, match="twice for seed 0"):
        results(base(), base())


@pytest.mark.parametrize(
    ("accuracy", "tokens", "says"),
    [
        (0.9, 38, "shorter, with no measurable change in accuracy"),
        (0.99, 38, "shorter and more accurate"),
        (0.5, 38, "shorter, but paid for with accuracy"),
        (0.5, 76, "a loss: less accurate and not shorter"),
        (0.5, 120, "a loss on both counts"),
        (0.99, 120, "more accurate, but longer"),
        (0.9, 120, "a loss: longer and not measurably more accurate"),
    ],
)
def test_a_verdict_says_gain_and_loss_alike(accuracy, tokens, says):
    assert says in verdict(results(base(), run("model", accuracy, tokens))[1])


def test_a_verdict_names_the_loss_that_the_interval_allows():
    made = results(base(), run("model", 0.895, 38))[1]
    assert "a loss of up to" in judgement(made)
    low = -100 * made.compared.delta_low
    assert f"up to {low:.1f} points is not excluded" in judgement(made)


def test_a_verdict_mentions_seeds_and_truncation():
    made = results(base(), run("model", 0.8, 40, seed=1, cut=0.1), run("model", 0.7, 40, seed=2, cut=0.1))[1]
    assert "2 seeds, which differ by 7.1 points" in judgement(made)
    assert "10.0 % of its samples were cut off at 160 tokens" in judgement(made)


def test_verdicts_cover_every_system_but_the_base():
    made = results(base(), run("a", 0.9, 40), run("b", 0.9, 40))
    assert [sentence.split(":")[0] for sentence in verdicts(made)] == ["a", "b"]


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


def test_what_sampling_costs_is_said():
    made = results(
        base(),
        run("length specialist", 0.9, 38),
        run("prompted", 0.5, 38),
        run("base", 0.85, 70, "sampled", "base"),
        run("length specialist", 0.7, 35, "sampled"),
        run("prompted", 0.4, 35, "sampled"),
    )
    of_base, of_length = decoding_verdicts(made)
    assert of_base == "test: sampled instead of greedy costs base 5.0 points of accuracy (90.0 to 85.0 %)."
    assert of_length.startswith("test: length specialist is at +0.0 points [")
    assert "under greedy decoding, but at -15.0 points [" in of_length


def test_a_second_decoding_that_costs_nothing_is_said_too():
    made = results(base(), run("a", 0.9, 40), base(decoding="sampled"), run("a", 0.9, 40, "sampled"))
    assert decoding_verdicts(made) == [
        "test: sampled instead of greedy costs base 0.0 points of accuracy (90.0 to 90.0 %).",
        "test: no system that keeps the base's accuracy under greedy decoding measurably loses it under sampled "
        "decoding.",
    ]
    assert decoding_verdicts(results(base())) == []


def test_the_headline_is_about_the_chosen_system_in_every_decoding():
    made = results(
        base(),
        run("base", 0.8, 70, "sampled", "base"),
        run("merged", 0.9, 50, kind="merged"),
        run("merged", 0.6, 50, "sampled", "merged"),
    )
    greedy, sampled = headline(made, "merged")
    assert greedy.startswith("On 400 problems of test, under greedy decoding, merged writes 34 % fewer tokens [")
    assert sampled.startswith("Under sampled decoding it writes") and "paid for with accuracy" in sampled
    with pytest.raises(ValueError, match="no result of mergd"):
        headline(made, "mergd")


def test_numbers_in_words():
    assert points(0.004, -0.012, 0.02) == "+0.4 points [-1.2, 2.0]"
    assert points(0.0, -0.0001, 0.0001) == "+0.0 points [0.0, 0.0]"
    assert tokens_change(0.59, 0.56, 0.62) == "41 % fewer tokens [38, 44]"
    assert tokens_change(1.03, 0.99, 1.07) == "3 % more tokens [-1, 7]"
    assert tokens_change(1.003, 1.001, 1.005) == "0.3 % more tokens [0.1, 0.5]"
    assert tokens_change(0.75, None, None) == "25 % fewer tokens"


def test_the_csv_holds_every_number():
    made = results(base(), run("length specialist", 0.9, 38))
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    assert [row["system"] for row in rows] == ["base", "length specialist"]
    assert rows[0]["delta"] == ""
    assert float(rows[1]["ratio_low"]) == pytest.approx(made[1].compared.ratio_low, rel=1e-5)
    assert rows[1]["max_tokens"] == "160"


def test_markdown_and_terminal_tables_show_n_and_the_token_limit():
    made = results(base(), run("length specialist", 0.9, 38))
    for text in (markdown(made), terminal(made)):
        assert "length specialist" in text
        assert "90.0 ± 1.5" in text
        assert "400" in text and "160" in text
    assert markdown(made).startswith("### test, greedy\n\n| system")


def test_written_results_read_back(tmp_path):
    variant = run("length specialist (bare)", 0.9, 40, variant="bare")
    made = results(
        base(), run("length specialist", 0.9, 38, seed=1), run("length specialist", 0.9, 39, seed=2), variant
    )
    write_results(tmp_path, made)
    assert read_results(tmp_path / "results.json") == made
    assert json.loads((tmp_path / "results.json").read_text()) == [wide_row(r) for r in made]
    assert (tmp_path / "results.csv").read_text() == csv_text(made)
    assert (tmp_path / "results.md").read_text() == markdown(made)


def test_long_rows_name_the_decoding():
    made = results(base(), run("a (bare)", 0.9, 40, variant="bare"))
    assert {row["dataset"] for row in long_rows(made)} == {"test/greedy"}
    assert {row["model"] for row in long_rows(made)} == {"base", "a (bare)"}


def test_the_terminal_table_fits_a_terminal_and_names_seeds():
    made = results(base(), run("merged: dare_ties", 0.9, 40, seed=1), run("merged: dare_ties", 0.8, 40, seed=2))
    text = terminal(made)
    assert text.startswith("test, greedy: n = 400, at most 160 tokens\n")
    assert "merged: dare_ties, 2 seeds" in text
    assert max(map(len, text.splitlines())) <= 120
