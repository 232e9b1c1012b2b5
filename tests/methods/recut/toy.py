"""Scripted partners and builders for the tests of ReCUT's pure logic."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bestpath.core.prompts import load
from bestpath.core.search import Completion, Generate, Grade, Result, Search, Verdict
from bestpath.core.tables import Row
from bestpath.core.training_rows import TrainPrompt
from bestpath.methods.recut.explore import STEPWISE_FIELDS, WHOLE_FIELDS, ExploreRules
from bestpath.methods.recut.pairs import PairRules
from bestpath.methods.recut.reward import RewardRules
from bestpath.methods.recut.settings import Explore, Pairs, Train

FOLDER = Path(__file__).resolve().parents[3] / "config" / "prompts" / "recut"
PROMPTS = {mode: load(FOLDER / f"{mode}.jinja", STEPWISE_FIELDS) for mode in ("long", "short")}
NEUTRAL = load(FOLDER / "neutral.jinja", WHOLE_FIELDS)
TRAIN_PROMPT = TrainPrompt("neutral", NEUTRAL, count=lambda messages: 10)

MODE_OF = {prompt.template.splitlines()[1]: mode for mode, prompt in PROMPTS.items()}
Answer = Callable[[Generate], Completion]


def explore_rules(seed: int = 42, **given: Any) -> ExploreRules:
    """The rules of an exploration by the settings of a real run, but for those given."""
    settings = Explore().model_dump(exclude={"strategy"})
    return ExploreRules(**{**settings, "seed": seed, "modes": tuple(settings["modes"]), **given})


def reward_rules(**given: Any) -> RewardRules:
    """How completions are compared by the settings of a real run, but for those given."""
    settings = Explore().model_dump(include={"alpha", "beta", "both_wrong", "unparsable_tier"})
    return RewardRules(**{**settings, **given})


def pair_rules(seed: int = 42, **given: Any) -> PairRules:
    """The rules of both sets of pairs by the settings of a real run, but for those given."""
    pairs = Pairs()
    settings = pairs.model_dump(include={"rule", "rho", "max_per_problem", "min_pairs", "length_unit"})
    rejected = {"length": pairs.length.rejected, "accuracy": pairs.accuracy.rejected}
    return PairRules(**{**settings, "seed": seed, "max_length": Train().max_length, "rejected": rejected, **given})


def problem(problem_id: str = "p", answer: str = "7", split: str = "train") -> Row:
    return {
        "problem_id": problem_id,
        "dataset": "toy",
        "question": f"What is the answer to {problem_id}?",
        "answer": answer,
        "kind": "number",
        "choices": None,
        "solution": None,
        "level": None,
        "split": split,
    }


def completion(text: str, finish: Any = "stop", n_tokens: int | None = None) -> Completion:
    return Completion(text, len(text.split()) + 1 if n_tokens is None else n_tokens, 5, finish)


def failure(error: str) -> Completion:
    return Completion("", 0, 0, "error", error)


def grade(request: Grade) -> Verdict:
    """The last box against the gold answer; `?` cannot be decided in time, and 7.0 is loosely 7."""
    boxes = re.findall(r"\\boxed\{([^{}]+)\}", request.text)
    if not boxes:
        return Verdict("no_answer")
    if boxes[-1] == "?":
        return Verdict("timeout", boxes[-1])
    if boxes[-1] == request.gold:
        return Verdict("correct", boxes[-1])
    return Verdict("wrong", boxes[-1], loosely_equal=boxes[-1] == request.gold + ".0")


def play(search: Search[list[Row]], answer: Answer) -> list[Row]:
    """Drive a search to its end with a partner that answers each request for a completion."""

    def result_of(request: Generate | Grade) -> Result:
        return answer(request) if isinstance(request, Generate) else grade(request)

    try:
        requests = next(search)
        while True:
            requests = search.send([result_of(request) for request in requests])
    except StopIteration as end:
        found: list[Row] = end.value
        return found


def mode_of(request: Generate) -> str:
    """The mode whose length clause stands in the user's turn."""
    return MODE_OF.get(request.messages[0].content.splitlines()[1], "neutral")


def step_of(request: Generate) -> int:
    """The number of the step that the request asks for."""
    if request.prefill:
        return request.prefill.count("[STEP") + 1
    asked = re.search(r"Go on with step (\d+)\.", request.messages[0].content)
    return int(asked[1]) if asked else 1


WORDS = [
    "three",
    "apples",
    "and",
    "four",
    "pears",
    "make",
    "seven",
    "pieces",
    "of",
    "fruit",
    "on",
    "our",
    "table",
    "today",
]


def toy_solver(n_steps: int, tokens_a_step: int = 10) -> Answer:
    """A solver that always ends with step `n_steps`, in the demanded format, and is right."""

    def answer(request: Generate) -> Completion:
        k = step_of(request)
        lines = [f"[STEP{i}]: {mode_of(request)} {WORDS[i]} {i}" for i in range(k, n_steps + 1)]
        text = "\n".join([*lines, r"Final answer: \boxed{7}"])
        return completion(text, n_tokens=tokens_a_step * len(lines))

    return answer


def random_solver(salt: int) -> Answer:
    """A solver that makes every kind of mistake; what it says depends on the request's own seed alone."""

    def answer(request: Generate) -> Completion:
        rng = random.Random(request.seed ^ salt)
        k = step_of(request)
        kind = rng.random()
        if kind < 0.05:
            return failure(rng.choice(["prompt_too_long", "engine_error: out of memory"]))
        if kind < 0.1:
            return completion(rng.choice(["", " ", r"\boxed{7}", "I do not know."]))
        first = k + rng.choice([0] * 15 + [1, -1])
        lines = [
            f"[STEP{i}]: " + " ".join(rng.choices(WORDS, k=rng.randint(0, 6)))
            for i in range(first, first + rng.randint(1, 4))
        ]
        if rng.random() < 0.05:
            lines[0] += r" \boxed{7}"
        boxed = rng.choice(["7", "7", "8", "9", "?", "7.0", ""])
        lines += [f"Final answer: \\boxed{{{boxed}}}"] if boxed else []
        return completion("\n".join(lines), finish="length" if rng.random() < 0.1 else "stop")

    return answer


def trial(name: str, round_: int, mode: str, verdict: str, text: str, **columns: Any) -> Row:
    """A row of the trials table of problem `p` whose trial is called `name`."""
    answers = {"correct": "7", "wrong": "8", "no_answer": None, "timeout": "?"}
    row: Row = {
        "problem_id": "p",
        "trial_id": name,
        "round": round_,
        "mode": mode,
        "index": 0,
        "prompt_sha": "0" * 16,
        "seed": 1,
        "prefix": [],
        "text": text,
        "n_tokens": 1,
        "n_prompt_tokens": 5,
        "finish_reason": "stop",
        "error": None,
        "answer": answers[verdict],
        "verdict": verdict,
        "loosely_equal": False,
        "reward": 0.0,
        "step": None,
        "step_reject": "no_step_marker",
        "chosen": False,
        "switched": False,
        "terminal": False,
        "stop": None,
    }
    return row | columns


def candidate(name: str, verdict: str, n_tokens: int, **columns: Any) -> Row:
    """A row of the candidates table of problem `p`; its text has as many characters as tokens."""
    row: Row = {
        "problem_id": "p",
        "candidate_id": name,
        "round": 1,
        "mode": "long",
        "index": 0,
        "mode_path": ["long"],
        "text": name.ljust(n_tokens, "."),
        "n_tokens": n_tokens,
        "n_steps": 1,
        "answer": "7" if verdict == "correct" else "8",
        "verdict": verdict,
        "loosely_equal": False,
        "origin": "pool",
    }
    return row | columns
