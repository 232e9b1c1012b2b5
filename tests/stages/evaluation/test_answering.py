"""Answerers, by name; and what an answer looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bestpath.core.errors import UserError
from bestpath.core.problems import PROBLEMS
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Message, Sampling, Search
from bestpath.core.tables import Row, read_table, write_table
from bestpath.stages.evaluation import answering
from bestpath.stages.evaluation.answering import Decodings, answer, answerer_of, load_prompts, modules_of
from bestpath.stages.evaluation.tables import SAMPLES

DECODINGS = {"greedy": (Sampling(), 1), "sampled": (Sampling(0.7), 2)}
PROMPTS = {"neutral": Prompt("neutral", "Solve: {{ problem }}{{ previous }}", frozenset({"problem", "previous"}))}
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "And now?"}]
NAME = "tests.stages.evaluation.test_answering:twice"

PROMPT_FIELDS = {"first": ("problem",), "second": ("problem", "draft")}


def problem(**values: Any) -> Row:
    return {**dict.fromkeys(PROBLEMS.columns), "problem_id": "p", "question": "2 + 2?", "kind": "number", **values}


def twice(
    problem: Row, prompts: Mapping[str, Prompt], decodings: Decodings, seed: int, options: Mapping[str, Any]
) -> Search[list[Row]]:
    """An answerer of a method's: a draft, and an answer that has seen it."""
    ((name, (sampling, _)),) = decodings.items()
    first = prompts["first"].messages(problem=problem["question"])
    (draft,) = yield [Generate("planner", first, sampling, seed)]
    assert isinstance(draft, Completion)
    second = prompts["second"].messages(problem=problem["question"], draft=draft.text)
    (last,) = yield [Generate("actor", second, sampling, seed)]
    assert isinstance(last, Completion)
    calls = {role: {"calls": 1, "tokens": one.n_tokens} for role, one in (("planner", draft), ("actor", last))}
    row = {"problem_id": problem["problem_id"], "sample_id": f"p.{name}.0", "decoding": name, "role": "actor"}
    row |= {"prompt_sha": prompts["second"].sha, "seed": seed, "n_tokens": draft.n_tokens + last.n_tokens}
    row |= {"text": f"{draft.text}\n{last.text}", "output": last.text, "n_prompt_tokens": 9, "finish_reason": "stop"}
    return [{**row, "calls": json.dumps(calls), "trace": json.dumps([draft.text, options])}]


def play(search: Search[list[Row]]) -> tuple[list[Row], list[Generate]]:
    """A search with a completion of three tokens to every request; its rows, and what it asked."""
    asked: list[Generate] = []
    requests = next(search)
    while True:
        asked += [request for request in requests if isinstance(request, Generate)]
        try:
            requests = search.send([Completion(f"it is {len(asked)}", 3, 5, "stop") for _ in requests])
        except StopIteration as end:
            return end.value, asked


def test_the_plain_answerer_asks_once_a_sample(tmp_path: Path) -> None:
    rows, asked = play(answer(problem(), PROMPTS, DECODINGS, 7, {}))
    assert {request.messages for request in asked} == {(Message("user", "Solve: 2 + 2?"),)}
    assert [request.seed for request in asked] == [
        seed_of(7, "p", "evaluate", name, index) for name, index in (("greedy", 0), ("sampled", 0), ("sampled", 1))
    ]
    assert [row["sample_id"] for row in rows] == ["p.greedy.0", "p.sampled.0", "p.sampled.1"]
    for row in rows:
        assert row["output"] == row["text"] == "it is 3" and row["trace"] is None
        assert json.loads(row["calls"]) == {"actor": {"calls": 1, "tokens": 3}}
        assert row["prompt_sha"] == PROMPTS["neutral"].sha
    write_table(tmp_path / "samples.parquet", SAMPLES, rows)
    assert read_table(tmp_path / "samples.parquet", SAMPLES) == rows


def test_a_problem_with_a_chat_of_its_own_is_asked_by_that() -> None:
    _, asked = play(answer(problem(messages=json.dumps(CHAT)), PROMPTS, DECODINGS, 7, {}))
    assert {request.messages for request in asked} == {(Message("system", "Be brief."), Message("user", "And now?"))}


def test_an_answerer_is_found_by_its_name(tmp_path: Path) -> None:
    assert answerer_of("plain") is answer and modules_of("plain") == []
    assert answerer_of(NAME).__name__ == "twice" and modules_of(NAME) == ["tests.stages.evaluation.test_answering"]
    paths = {name: tmp_path / f"{name}.jinja" for name in PROMPT_FIELDS}
    paths["first"].write_text("{{ problem }}")
    paths["second"].write_text("{{ problem }} {{ draft }}")
    prompts = load_prompts(NAME, paths)
    rows, asked = play(answerer_of(NAME)(problem(), prompts, {"greedy": (Sampling(), 1)}, 1, {"n": 2}))
    assert [(request.role, request.messages[0].content) for request in asked] == [
        ("planner", "2 + 2?"),
        ("actor", "2 + 2? it is 1"),
    ]
    assert rows[0]["output"] == "it is 2" and json.loads(rows[0]["trace"]) == ["it is 1", {"n": 2}]
    write_table(tmp_path / "samples.parquet", SAMPLES, rows)


def test_a_prompt_uses_the_fields_of_its_answerer(tmp_path: Path) -> None:
    file = tmp_path / "first.jinja"
    file.write_text("{{ problem }} {{ draft }}")
    with pytest.raises(UserError, match="unknown field 'draft'"):
        load_prompts(NAME, {"first": file})
    with pytest.raises(UserError, match="unknown field 'draft'"):
        load_prompts("plain", {"any": file})
    file.write_text("{{ problem }} {{ previous }} {{ step }}")
    assert load_prompts("plain", {"any": file})["any"].fields == frozenset(answering.PLAIN_FIELDS)
