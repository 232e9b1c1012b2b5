"""Scripted partners and builders for the tests of GSI's pure logic."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from bestpath.core.prompts import Prompt
from bestpath.core.search import Completion, Generate, Grade, Result, Search, Verdict
from bestpath.core.tables import Row
from bestpath.methods.gsi import settings
from bestpath.methods.gsi.guidance import Guidance, Strategy
from bestpath.methods.gsi.guide import GuideRules
from bestpath.methods.gsi.prefixes import CutRules
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.sample import SampleRules
from bestpath.methods.gsi.select import SelectRules

REFERENCE = "4 * 3 = 12\n12 + 5 = 17\nThe answer is 17"


def prompt(name: str) -> Prompt:
    """A prompt that shows its name and its fields, a line each; the teacher does not see the reference."""
    fields = PROMPT_FIELDS[name]
    shown = [field for field in fields if (name, field) != ("feedback", "reference")]
    return Prompt(name, "\n".join([name, *(f"{field}: {{{{ {field} }}}}" for field in shown)]), frozenset(fields))


PROMPTS = {name: prompt(name) for name in PROMPT_FIELDS}


class Words:
    """A tokenizer whose tokens are words with the blanks before them."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def encode(self, text: str) -> list[int]:
        found = re.findall(r"\s*\S+|\s+$", text)
        self.words += [word for word in found if word not in self.words]
        return [self.words.index(word) for word in found]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.words[id_] for id_ in ids)


def problem(
    problem_id: str = "q", level: int | None = 1, solution: str | None = REFERENCE, split: str = "train"
) -> Row:
    return {
        "problem_id": problem_id,
        "dataset": "toy",
        "question": f"What is {problem_id}?",
        "answer": "17",
        "kind": "number",
        "choices": None,
        "solution": solution,
        "level": level,
        "split": split,
    }


def sample_rules(seed: int = 1, **given: Any) -> SampleRules:
    """How the first iteration draws by the settings of a real run, but for those given."""
    return SampleRules.of({**settings.GsiSample().model_dump(), **given}, seed, t=0)


def guide_rules(seed: int = 1, **given: Any) -> GuideRules:
    """How the first iteration guides by the settings of a real run, but for those given."""
    phases = {**settings.GsiSample().model_dump(), **settings.Guidance().model_dump()}
    return GuideRules.of({**phases, **given}, seed, t=0)


def cut_rules(**given: Any) -> CutRules:
    """What may be revealed by the settings of a real run, but for what is given."""
    of = settings.Guidance()
    return CutRules(
        **{
            "unit": of.prefix_unit,
            "reveal_answer": of.reveal_answer,
            "keep_last_step_hidden": of.keep_last_step_hidden,
            "most": of.max_reveal,
            **given,
        }
    )


def select_rules(**given: Any) -> SelectRules:
    """The rules of a training set by the settings of a real run, but for those given."""
    of = settings.GsiSelect().model_dump(exclude={"tokens_of", "add_references", "add_previous"})
    return SelectRules.of({**of, "k": settings.Guidance().k, **given}, seed=1)


def guidance(strategy: Strategy, **given: Any) -> Guidance:
    """A strategy with the settings of a real run, but for those given."""
    return Guidance.of({**settings.Guidance(strategy=strategy).model_dump(), **given}, PROMPTS, Words(), "toy")


def grade(request: Grade) -> Verdict:
    """The last number of a text against the gold answer; a text without one has no answer."""
    numbers = re.findall(r"\d+", request.text)
    if not numbers:
        return Verdict("no_answer")
    return Verdict("correct" if numbers[-1] == request.gold else "wrong", numbers[-1])


def play(search: Search[list[Row]], answer: Callable[[Generate], str | Completion]) -> tuple[list[Row], list[Generate]]:
    """Run a search to its end; its rows, and the completions that it asked for."""
    asked: list[Generate] = []
    results: list[Result] | None = None
    while True:
        try:
            requests = next(search) if results is None else search.send(results)
        except StopIteration as end:
            return end.value, asked
        results = []
        for request in requests:
            if isinstance(request, Generate):
                asked.append(request)
                said = answer(request)
                results.append(said if isinstance(said, Completion) else Completion(said, len(said.split()), 5, "stop"))
            else:
                assert isinstance(request, Grade)
                results.append(grade(request))


def draw(problem_id: str, phase: str, round_: int, index: int, verdict: str, text: str, **values: Any) -> Row:
    """A row of GRADED."""
    return {
        "problem_id": problem_id,
        "draw_id": f"{problem_id}.0.{phase}.{round_}.{index}",
        "t": 0,
        "phase": phase,
        "strategy": "plain",
        "round": round_,
        "index": index,
        "prompt_sha": "",
        "seed": 0,
        "prefix": "",
        "prefix_share": 0.0,
        "all_revealed": False,
        "feedback": None,
        "text": text,
        "n_tokens": 10,
        "n_prompt_tokens": 5,
        "teacher_tokens": 0,
        "finish_reason": "stop",
        "error": None,
        "flags": [],
        "answer": "17" if verdict == "correct" else "3",
        "verdict": verdict,
        "output": None,
        **values,
    }


def plain_draws(problem_id: str, correct: int, n: int = 8) -> list[Row]:
    """Graded plain draws, the correct ones first, all of different texts."""
    return [
        draw(problem_id, "plain", 0, i, "correct" if i < correct else "wrong", f"way {i} to {17 if i < correct else 3}")
        for i in range(n)
    ]


def chance(request: Generate, rate: float) -> str:
    """A right answer with some probability, decided by the request's seed."""
    draw_ = random.Random(json.dumps([request.seed, rate]))
    return f"way {request.seed} to {17 if draw_.random() < rate else 3}"
