"""A world of sums, explored by ReCUT's real search with a model that adds up step by step and now and then errs."""

from __future__ import annotations

import random
import re

from bestpath.core.prompts import Prompt
from bestpath.core.search import Completion, Generate, Verdict
from bestpath.methods.recut.candidates import collect
from bestpath.methods.recut.explore import STEPWISE_FIELDS, explore
from bestpath.methods.recut.optimal import select
from tests.methods.recut.toy import explore_rules

NASTY = "</script><b>bold</b> & {{ 7 * 7 }} $x^2$ \u2028 'q' \U0001f600"

PROMPTS = {
    mode: Prompt(mode, mode + "|{{ step }}|{{ problem }}|{{ previous }}", frozenset(STEPWISE_FIELDS))
    for mode in ("long", "short")
}


def world(seed=7, n=60):
    """Problems, their trials, candidates and optimal paths."""
    rng = random.Random(seed)
    problems = [_problem(rng, i) for i in range(n)]
    trials = [row for problem in problems for row in _explored(problem, seed)]
    candidates, _ = collect(trials, count)
    return problems, trials, candidates, select(problems, candidates)


def count(text: str) -> int:
    """Tokens: words, numbers and signs."""
    return len(re.findall(r"\w+|[^\w\s]", text)) + 1


def _problem(rng, i):
    numbers = [rng.randint(2, 60) for _ in range(rng.randint(3, 5) + 1)]
    text = f"Ann has {numbers[0]} pears. " + " ".join(f"She picks {n} more." for n in numbers[1:])
    gold = sum(numbers) + (1 if i % 40 == 3 else 0)  # a few gold answers are wrong
    return {
        "problem_id": f"train-{i:04}",
        "dataset": "sums",
        "question": text + " How many pears has she?",
        "answer": str(gold),
        "kind": "number",
        "choices": None,
        "solution": None,
        "level": len(numbers) - 1,
        "split": "dev" if i % 5 == 0 else "train",
    }


def _explored(problem, seed):
    search = explore(problem, explore_rules(seed, max_tokens=90), PROMPTS)
    requests = next(search)
    while True:
        try:
            requests = search.send([_reply(request) for request in requests])
        except StopIteration as stop:
            return stop.value


def _reply(request):
    if isinstance(request, Generate):
        return _complete(request)
    found = re.findall(r"\\boxed\{(.*?)\}", request.text)
    if not found:
        return Verdict("no_answer")
    return Verdict("correct" if found[-1] == request.gold else "wrong", found[-1], "boxed")


def _complete(request: Generate) -> Completion:
    """Add up step by step, now and then wrongly, without markers, or without an end."""
    rng = random.Random(request.seed)
    mode, step, problem, previous = request.messages[0].content.split("|", 3)
    numbers = [int(n) for n in re.findall(r"has (\d+)|picks (\d+)", problem) for n in n if n]
    done = int(step) - 1
    sums = re.findall(r"= (\d+)", previous)
    total = int(sums[-1]) if sums else numbers[0]
    lines = []
    for i, number in enumerate(numbers[done + 1 :], start=done + 1):
        result = total + number + (rng.choice((-10, 1, 10)) if rng.random() < 0.12 else 0)
        check = f" Check: {result} - {number} = {result - number}." if mode == "long" else ""
        marker = f"[STEP{i}]:" if rng.random() > 0.04 else f"{i}."
        lines.append(f"{marker} {total} + {number} = {result}.{check}" + (f" {NASTY}" if rng.random() < 0.05 else ""))
        total = result
    lines.append(f"Final answer: \\boxed{{{total}}}")
    text = "\n".join(lines)
    if rng.random() < 0.04:
        return Completion(text[: len(text) // 2], 90, 60, "length")
    return Completion(text, count(text), 60, "stop")
