from __future__ import annotations

from bestpath.stages.evaluation.words import amount, listed, named, points, tokens_change


def test_numbers_in_words():
    assert points(0.004, -0.012, 0.02) == "+0.4 points [-1.2, 2.0]"
    assert points(0.0, -0.0001, 0.0001) == "+0.0 points [0.0, 0.0]"
    assert tokens_change(0.59, 0.56, 0.62) == "41 % fewer tokens [38, 44]"
    assert tokens_change(1.03, 0.99, 1.07) == "3 % more tokens [-1, 7]"
    assert tokens_change(1.003, 1.001, 1.005) == "0.3 % more tokens [0.1, 0.5]"
    assert tokens_change(0.75, None, None) == "25 % fewer tokens"


def test_amounts_have_three_digits():
    shown = [amount(number) for number in (0, 7, 950, 999.6, 1000, 12_345, 999_499, 999_500, 1_234_567, 2e9)]
    assert shown == ["0", "7", "950", "1 k", "1 k", "12.3 k", "999 k", "1 M", "1.23 M", "2 G"]


def test_systems_in_sentences():
    assert [named("base"), named("length specialist")] == ["the base", "length specialist"]
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a and b", "a, b and c"]
