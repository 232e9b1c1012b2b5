"""GSI's chapter, told from small files that a manifest names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bestpath.core.problems import PROBLEMS
from bestpath.core.tables import write_table
from bestpath.methods.gsi.report.chapter import chapter
from bestpath.methods.gsi.tables import AUDIT, QUESTIONS, SAMPLED, TAIL
from bestpath.stages.evaluation.tables import SCORES
from bestpath.stages.report.blocks import Table
from bestpath.stages.report.manifest import Entry, Files
from tests.methods.gsi.readings import reading
from tests.stages.report.example import system

RESULTS = [
    system("base", "base", "gsi"),
    *(system(f"{name}, iteration 1", "specialist", "gsi") for name in ("vanilla", "state reset", "fill")),
]
SHARES = {"vanilla": 0.1, "state_reset": 0.3, "fill": 0.4}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    files = Files(tuple(_entries(tmp_path_factory.mktemp("gsi"))), {
        "final": ["iteration 0", *(f"{name.replace('_', ' ')}, iteration 1" for name in SHARES)],
        "main": "state reset, iteration 1",
        "guided": ["state_reset"],
        "settings": {"sample.n_init": "4"},
    })  # fmt: skip
    return chapter(files, RESULTS, "base")


def _entries(folder: Path):
    def table(name, kind, rows, file, **labels):
        rows = [{**dict.fromkeys(kind.columns), **row} for row in rows]
        write_table(folder / f"{file}.parquet", kind, rows)
        return Entry(name, folder / f"{file}.parquet", labels)

    yield table("problems", PROBLEMS, [_problem(f"q{i}", "train") for i in range(4)], "train", dataset="train")
    tests = [_problem(f"t{level}{i}", "test", level) for level in (1, 2) for i in range(100)]
    yield table("problems", PROBLEMS, tests, "test", dataset="test")
    for variant, share in SHARES.items():
        for t in (0, 1):
            right = 60 if (variant, t) == ("state_reset", 1) else 30
            scores = [_score(f"t1{i}", i < 90) for i in range(100)] + [_score(f"t2{i}", i < right) for i in range(100)]
            id_ = f"gsi/{variant}/s1/t{t}"
            yield table("scores", SCORES, scores, f"scores.{variant}.{t}", id=id_, dataset="test")
            own = reading(variant, t, share=share if t else 0.5, coverage=0.9 if variant == "state_reset" else 0.5)
            rows = [{"metric": metric, "group": group, "value": value} for (metric, group), value in own.tail.items()]
            yield table("tail", TAIL, rows, f"tail.{variant}.{t}", variant=variant, t=t, seed=1, id=id_)
        sampled = [_sampled("d1", None), _sampled("d2", "cap")]
        yield table("sampled", SAMPLED, sampled, f"sampled.{variant}", variant=variant)
        yield table("questions", QUESTIONS, [_question("q1", "7")], f"questions.{variant}", variant=variant)
    audit = {"problem_id": "q1", "draw_id": "d1", "gold": "5", "answer": "5", "verdict": "correct",
             "released_answer": "5", "released_correct": True}  # fmt: skip
    yield table("audit", AUDIT, [audit], "audit")


def _problem(name, split, level=1):
    return {"problem_id": name, "dataset": "toy", "question": f"{name}?", "answer": "5", "kind": "number",
            "choices": None, "solution": None, "level": level, "split": split}  # fmt: skip


def _score(problem, right):
    return {"problem_id": problem, "sample_id": f"{problem}.0", "decoding": "greedy", "answer": "1", "rule": "",
            "verdict": "correct" if right else "wrong", "n_tokens": 9, "finish_reason": "stop"}  # fmt: skip


def _sampled(draw, reason):
    return {"problem_id": "q1", "draw_id": draw, "level": 1, "phase": "plain", "strategy": "plain", "round": 0,
            "verdict": "correct", "n_tokens": 9, "teacher_tokens": 0, "prefix_share": 0.0, "all_revealed": False,
            "valid": None, "flags": [], "kept": reason is None, "drop_reason": reason}  # fmt: skip


def _question(name, suspect):
    return {"problem_id": name, "level": 1, "n_plain": 4, "n_guided": 3, "n_correct": 0, "n_rows": 0, "verdicts": "{}",
            "tail_lost": True, "suspect_gold": suspect}  # fmt: skip


def test_the_chapter_has_the_whole_story(told):
    assert [section.title for section in told.sections] == [
        "The tail", "Accuracy over the iterations", "What help brings", "Length and perplexity",
        "The verifier, audited", "Doubtful gold answers", "Settings",
    ]  # fmt: skip
    assert told.main == "state reset, iteration 1"
    assert told.about == "variants vanilla, state_reset, fill"


def test_claims_make_the_headline_and_what_does_not_hold_a_warning(told):
    first, *_, control = told.headline
    assert first == "Vanilla: level 2 has at most half of its share of the pool: 10.0 % of 50.0 %."
    assert control.startswith("State reset beats the control")
    assert told.warnings == ()


def test_accuracies_are_those_of_the_model_of_each_reading(told):
    table = next(block for block in told.sections[1].blocks if isinstance(block, Table))
    assert [(line.values[0], line.values[3].value) for line in table.lines] == [
        ("all", 0.3), ("vanilla", 0.3), ("state reset", 0.6), ("fill", 0.3),
    ]  # fmt: skip


def test_what_was_dropped_and_what_is_doubtful_is_told(told):
    help_ = next(block for block in told.sections[2].blocks if isinstance(block, Table))
    assert [line.values[-1] for line in help_.lines] == ["", "cap 1", "cap 1", "cap 1"]
    suspects = next(block for block in told.sections[5].blocks if isinstance(block, Table))
    assert [line.values for line in suspects.lines] == [("q1", "q1?", "5", "7", 3)]
