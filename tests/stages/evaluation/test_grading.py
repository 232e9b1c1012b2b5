"""Verdicts on what a reader reads of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from bestpath.answers.sandbox import best_level
from bestpath.core.errors import UserError
from bestpath.core.problems import PROBLEMS
from bestpath.core.tables import Row
from bestpath.stages.evaluation.grading import grade
from bestpath.stages.evaluation.readers import modules_of, read
from bestpath.stages.evaluation.tables import SCORES


def problem(name: str, **values: Any) -> Row:
    return {**dict.fromkeys(PROBLEMS.columns), "problem_id": name, "answer": "4", "kind": "number", **values}


def sample(name: str, output: str, text: str = "the answer is 5") -> Row:
    row = {"problem_id": name, "sample_id": f"{name}.greedy.0", "decoding": "greedy", "n_tokens": 3}
    return {**row, "text": text, "output": output, "finish_reason": "stop"}


def test_the_output_is_graded_and_not_the_text() -> None:
    scores = grade([sample("a", "The answer is 4"), sample("b", "The answer is 3")], map(problem, "ab"))
    assert [(score["verdict"], score["answer"]) for score in scores] == [("correct", "4"), ("wrong", "3")]
    assert all(score.keys() == SCORES.columns.keys() for score in scores)


def test_an_open_problem_is_ungraded() -> None:
    (score,) = grade([sample("a", "Because.")], [problem("a", kind="open", answer=None)])
    assert (score["verdict"], score["answer"]) == ("ungraded", None)


def test_a_program_answers_with_what_it_prints() -> None:
    try:
        best_level("namespace")
    except UserError as error:
        pytest.skip(str(error))
    outputs = ["```python\nprint(1)\nprint(2 + 2)\n```", "print(5)", "1 / 0"]
    samples = [sample(name, output) for name, output in zip("abc", outputs, strict=True)]
    assert read(samples, "program", "namespace") == ["The answer is 4", "The answer is 5", ""]
    scores = grade(samples, map(problem, "abc"), "program", "namespace")
    assert [score["verdict"] for score in scores] == ["correct", "wrong", "no_answer"]


def test_the_modules_of_a_reader() -> None:
    assert modules_of("text") == [] and modules_of("program") == ["bestpath.stages.evaluation.programs"]
