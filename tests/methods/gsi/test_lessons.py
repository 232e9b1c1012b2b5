"""The lessons of GSI: all that is taught is right, help holds what the story leaves out, hard problems are rare."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.randomness import generator_for
from bestpath.methods.gsi.equations import has_wrong, is_valid
from bestpath.methods.gsi.leaks import is_copy
from bestpath.methods.gsi.lessons import LESSONS
from bestpath.stages.embedded.language import World, draw
from bestpath.stages.embedded.lessons import curriculum, documents
from bestpath.stages.embedded.mistakes import mistaken
from bestpath.stages.embedded.problems import problems
from bestpath.stages.embedded.steps import program, reference

PROMPTS = Path(__file__).resolve().parents[3] / "config/prompts"
ROLES = ("plain", "answer", "rationale", "feedback", "revise")
WORLD = World.sized((3, 4), 129, (2, 3, 4, 5, 6), (0.45, 0.33, 0.15, 0.05, 0.02), (0, 0, 1, 2, 3))


def written(role: str, n: int = 150):  # type: ignore[no-untyped-def]
    taught = curriculum(LESSONS, {f"gsi/{role}": PROMPTS / f"gsi/{role}.jinja"})
    return list(documents(taught, WORLD, 1, 0, n))


@pytest.mark.parametrize("role", ["plain", "rationale", "revise"])
def test_every_solution_that_is_taught_derives_its_answer(role: str) -> None:
    for document in written(role):
        answer = re.findall(r"boxed\{(\d+)\}", document.completion)[-1]
        assert is_valid(document.completion, answer), document


def test_a_solution_with_a_given_answer_may_stop_early_and_says_nothing_wrong() -> None:
    underived = 0
    for document in written("answer"):
        given_answer = re.findall(r"Given final answer: (\d+)", document.prompt)[-1]
        assert document.completion.endswith(f"Final answer: \\boxed{{{given_answer}}}")
        assert not has_wrong(document.completion)
        underived += not is_valid(document.completion, given_answer)
    assert underived > 50


def test_help_holds_the_numbers_that_half_of_the_stories_leave_out() -> None:
    vague = [document for document in written("rationale") if "some" in document.prompt.split("Reference")[0]]
    assert 0.35 < len(vague) / 150 < 0.65
    for document in vague:
        story, shown = document.prompt.split("Reference solution:")
        assert not re.search(r"\d", story)
        assert all(number in shown for number in re.findall(r"\d+", document.completion.replace(", check", " ")))


def test_help_is_taught_at_all_lengths_and_mostly_on_factors_that_no_problem_has() -> None:
    texts = [document.completion for document in written("rationale", 400)]
    steps = Counter(text.count("[STEP") for text in texts)
    assert steps[2] < steps[3] < steps[4] < steps[5] < steps[6]
    factors = [int(k) for text in texts for k in re.findall(r"\]: \d+ [*/] (\d+)", text) if int(k) > 3]
    own = sum(k <= WORLD.factors[1] for k in factors) / len(factors)
    assert 0.01 < own < 0.15


def test_feedback_names_the_first_wrong_step_and_what_is_right_there() -> None:
    for seed in range(200):
        rng = generator_for(seed)
        problem = draw(WORLD, rng, "train")
        mistake = mistaken(WORLD, rng, problem, 0.5)
        right = problem.operations[mistake.step - 1]
        lines = mistake.attempt.split("\n")
        sound = [line for line in lines[: mistake.step - 1]]
        assert all(str(o.after) in line for o, line in zip(problem.operations, sound, strict=False))
        assert f"{right.before} {right.symbol} {right.operand} = {right.after}" in mistake.feedback
        assert f"{right.before} {right.symbol} {right.operand} = {right.after}," not in lines[mistake.step - 1] + ","
        assert not mistake.attempt.endswith(f"{{{problem.answer}}}")


@given(st.integers(0, 10_000))
def test_references_derive_the_answer_and_are_no_solutions_of_the_model(seed: int) -> None:
    problem = draw(WORLD, generator_for(seed), "train")
    text = reference(problem)
    assert is_valid(text, str(problem.answer))
    assert not is_copy(re.sub(r", (by|after|from|with|upon) \w+ \d+", "", text), text)


def test_programs_print_the_answer() -> None:
    for seed in range(5):
        problem = draw(WORLD, generator_for(seed), "train")
        done = subprocess.run([sys.executable, "-c", program(problem)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(problem.answer)


def test_levels_are_alike_in_the_pool_and_rare_when_taught() -> None:
    pool = problems(100, 1, WORLD, "train")
    assert set(Counter(row["level"] for row in pool).values()) == {20}
    steps = Counter(document.completion.count("[STEP") for document in written("plain", 1000))
    assert steps[2] > 350 and steps[6] < 50


def test_rare_changes_belong_to_the_hard_levels() -> None:
    for row in problems(100, 2, WORLD, "train"):
        rare = re.findall(r"times as many|keeps one of every", row["question"])
        assert len(rare) == WORLD.rare[row["level"] - 1]
