from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.core.randomness import generator_for
from bestpath.stages.embedded.language import World, draw
from bestpath.stages.embedded.lessons import curriculum, documents, lessons_of
from bestpath.stages.embedded.model import Size
from bestpath.stages.embedded.pretraining import Course, pretrain
from bestpath.stages.embedded.problems import problems
from bestpath.stages.embedded.steps import STYLES, plan, write_out
from bestpath.stages.embedded.tokenizer import build_tokenizer

PROMPTS = Path(__file__).resolve().parents[3] / "config/prompts/recut"
LESSONS = lessons_of(["bestpath.methods.recut.lessons"])
TAUGHT = curriculum(LESSONS, {f"recut/{name}": PROMPTS / f"{name}.jinja" for name in ("neutral", "long", "short")})
WORLD = World(operations=(3, 4), largest=99)


def value(expression: str) -> int:
    """The value of a chain of operations, from left to right."""
    first, *rest = expression.split()
    result = int(first)
    for symbol, operand in zip(rest[::2], map(int, rest[1::2]), strict=True):
        result = {"+": result + operand, "-": result - operand, "*": result * operand, "/": result // operand}[symbol]
    return result


def equations(text: str) -> list[tuple[str, str]]:
    """Both sides of every equation in a solution."""
    return re.findall(r"(\d+(?: [-+*/] \d+)+) = (\d+)", text)


@given(st.integers(0, 10_000), st.sampled_from(STYLES))
def test_every_equation_and_every_answer_is_right(seed: int, style: str) -> None:
    rng = generator_for(seed)
    problem = draw(WORLD, rng, "train")
    text = write_out(problem, plan(WORLD, rng, problem, style))
    assert equations(text)
    for left, right in equations(text):
        assert value(left) == int(right)
    results = [right for left, right in equations(re.sub(r", check .*", "", text))]
    assert results[-1] == str(problem.answer)
    assert text.endswith(f"\nFinal answer: \\boxed{{{problem.answer}}}")
    assert re.findall(r"\[STEP(\d+)\]", text) == [str(k) for k in range(1, text.count("[STEP") + 1)]


@given(st.integers(0, 10_000))
def test_problems_stay_within_the_world(seed: int) -> None:
    problem = draw(WORLD, generator_for(seed), "train")
    assert WORLD.operations[0] <= len(problem.operations) <= WORLD.operations[1]
    assert all(0 <= o.before <= WORLD.largest and 0 <= o.after <= WORLD.largest for o in problem.operations)


def test_pools_have_no_problem_in_common_and_ids_are_unique() -> None:
    pools = {pool: problems(300, 1, WORLD, pool) for pool in ("train", "test")}
    questions = [row["question"] for rows in pools.values() for row in rows]
    ids = [row["id"] for rows in pools.values() for row in rows]
    assert len(set(questions)) == len(set(ids)) == 600
    pretrained = {document.prompt for document in documents(TAUGHT, WORLD, 1, 0, 3000)}
    assert not any(question in prompt for prompt in pretrained for question in questions)


def test_documents_depend_on_their_number_alone() -> None:
    assert list(documents(TAUGHT, WORLD, 1, 0, 20))[7:12] == list(documents(TAUGHT, WORLD, 1, 7, 12))


def test_lessons_of_several_modules_take_turns_as_they_say() -> None:
    lessons = lessons_of(["bestpath.methods.recut.lessons", "bestpath.methods.gsi.lessons"])
    assert {"recut", "gsi", "gsi-pot"} <= lessons.keys()
    names = {"recut/neutral": "recut/neutral", "gsi/plain": "gsi/plain", "gsi/revise": "gsi/revise"}
    both = curriculum(lessons, {name: PROMPTS.parent / f"{path}.jinja" for name, path in names.items()})
    assert list(both.prompts) == ["gsi/plain", "gsi/revise", "recut/neutral"]
    alone = {name: documents(both.only(name), WORLD, 1) for name in both.prompts}
    order = ["gsi/plain"] * 3 + ["gsi/revise", "recut/neutral"]
    written = list(documents(both, WORLD, 1, 0, 10))
    first = {name: [next(alone[name]) for _ in range(10)] for name in alone}
    assert written == [first[name][number] for number, name in enumerate(order * 2)]


def test_an_unknown_lesson_is_named() -> None:
    with pytest.raises(UserError, match="no embedded lesson 'recut/lng'; did you mean 'recut/long'"):
        curriculum(LESSONS, {"recut/lng": PROMPTS / "long.jinja"})


@pytest.fixture(scope="module")
def tokenizer():  # type: ignore[no-untyped-def]
    return build_tokenizer(TAUGHT.prompts, documents(TAUGHT, WORLD, 1, 0, 500), WORLD.largest)


@given(text=st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=80))
@settings(max_examples=200)
def test_the_tokenizer_gives_back_any_text(tokenizer, text: str) -> None:  # type: ignore[no-untyped-def]
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_prompts_are_few_tokens_and_a_prefix_of_prompt_and_completion(tokenizer) -> None:  # type: ignore[no-untyped-def]
    for document in documents(TAUGHT, WORLD, 5, 0, 60):
        turns = [{"role": "user", "content": document.prompt}]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
        turns.append({"role": "assistant", "content": document.completion})
        both = tokenizer.apply_chat_template(turns, return_dict=True)["input_ids"]
        assert both[: len(prompt)] == prompt
        assert both[-1] == tokenizer.eos_token_id
        words = len(document.prompt.split())
        assert len(prompt) < words  # constant text of a template is one token


@pytest.mark.parametrize("muon_dtype", ["bfloat16", "float32"])
def test_pretraining_is_exact_and_goes_on_after_an_interruption(tmp_path: Path, monkeypatch, muon_dtype) -> None:  # type: ignore[no-untyped-def]
    world = World.sized((1, 2), 20)
    course = Course(steps=24, batch=8, seed=1, threads=1, matrix_rate=0.01, muon_dtype=muon_dtype)

    def train(name: str) -> bytes:
        pretrain(TAUGHT, world, Size(1), course, 128, tmp_path / name, tmp_path / f"{name}-work")
        return (tmp_path / name / "model.safetensors").read_bytes()

    straight = train("straight")
    from bestpath.stages.embedded import pretraining

    learn = pretraining._Run._learn

    def interrupted(run, rows):  # type: ignore[no-untyped-def]
        if run._step == 17:
            raise KeyboardInterrupt
        return learn(run, rows)

    monkeypatch.setattr(pretraining._Run, "_learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train("resumed")
    monkeypatch.undo()
    assert train("resumed") == straight
