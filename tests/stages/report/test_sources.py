from __future__ import annotations

from bestpath.stages.report.sources import answers_of, greedy, lengths_of, suspects_section


def test_the_answers_of_a_problem_keep_the_order_of_the_systems():
    sample = {"problem_id": "p", "text": "so 5", "n_tokens": 9, "finish_reason": "length"}
    wrong, right = {"verdict": "wrong", "answer": None}, {"verdict": "correct", "answer": "5"}
    found = answers_of([("base", [sample], [wrong]), ("merged", [{**sample, "finish_reason": "stop"}], [right])])
    assert [(a.system, a.verdict, a.note) for a in found["p"]] == [
        ("base", "wrong", "cut off"),
        ("merged", "correct", ""),
    ]


def test_lengths_are_those_of_the_greedy_samples():
    def row(decoding, n_tokens, finish="stop"):
        return {"decoding": decoding, "n_tokens": n_tokens, "finish_reason": finish}

    assert lengths_of([row("greedy", 9), row("greedy", 0, "error"), row("sampled", 5), row("greedy", 4)]) == (9, 4)


def test_without_greedy_samples_the_first_decoding_stands_for_them():
    rows = [{"decoding": name} for name in ("sampled", "cold")]
    assert greedy(rows) == [{"decoding": "cold"}]


def test_doubtful_gold_answers_are_a_table():
    table = suspects_section([("p1", "2 + 2?", "5", "4", 9)]).blocks[-1]
    assert (table.name, table.lines[0].values) == ("suspect_gold", ("p1", "2 + 2?", "5", "4", 9))
