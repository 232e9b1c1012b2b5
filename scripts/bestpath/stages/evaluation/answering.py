"""Answering problems with a system (a model under a prompt), as searches of one request a sample; and grading that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from bestpath.answers.grading import Grader
from bestpath.answers.sandbox import Level, Sandbox, answer_of
from bestpath.core.problems import choices_of
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Grade, Sampling, Search
from bestpath.core.tables import Row


def answer(problem: Row, prompt: Prompt, decodings: Mapping[str, tuple[Sampling, int]], seed: int) -> Search[list[Row]]:
    """Answer one problem under every decoding (a way to sample, and how often); rows of `SAMPLES`.

    Seeds depend on the problem and the decoding, not on the model: two systems that agree so far draw alike.
    """
    problem_id = problem["problem_id"]
    values = {"problem": problem["question"], "previous": "", "step": 1}
    messages = prompt.messages(**{name: values[name] for name in prompt.fields})
    asked = [
        (name, index, Generate("actor", messages, sampling, seed_of(seed, problem_id, "evaluate", name, index)))
        for name, (sampling, samples) in decodings.items()
        for index in range(samples)
    ]
    completions = cast(list[Completion], (yield [request for _, _, request in asked]))
    return [
        {
            "problem_id": problem_id,
            "sample_id": f"{problem_id}.{name}.{index}",
            "decoding": name,
            "role": request.role,
            "prompt_sha": prompt.sha,
            "seed": request.seed,
            "text": completion.text,
            "n_tokens": completion.n_tokens,
            "n_prompt_tokens": completion.n_prompt_tokens,
            "finish_reason": completion.finish,
        }
        for (name, index, request), completion in zip(asked, completions, strict=True)
    ]


def printed(samples: Sequence[Row], min_level: Level) -> list[Row]:
    """Samples that are programs, each with a sentence on what it printed last in the place of its text."""
    with Sandbox(min_level=min_level) as sandbox:
        ran = sandbox.run([sample["text"] for sample in samples])
    said = [answer_of(run) for run in ran]
    texts = ["" if answer is None else f"The answer is {answer}" for answer in said]
    return [{**sample, "text": text} for sample, text in zip(samples, texts, strict=True)]


def grade(samples: Sequence[Row], problems: Iterable[Row]) -> list[Row]:
    """The verdict on every sample (rows of `SAMPLES`), as rows of `SCORES`."""
    asked_of = {row["problem_id"]: row for row in problems}
    asked = []
    for sample in samples:
        problem = asked_of[sample["problem_id"]]
        asked.append(Grade(sample["text"], problem["answer"], problem["kind"], choices_of(problem)))
    with Grader() as grader:
        verdicts = grader.grade(asked)
    kept = ("problem_id", "sample_id", "decoding", "n_tokens", "finish_reason")
    return [
        {**{name: sample[name] for name in kept}, "answer": v.answer, "verdict": v.outcome, "rule": v.rule}
        for sample, v in zip(samples, verdicts, strict=True)
    ]
