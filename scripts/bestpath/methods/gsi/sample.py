"""The plain phase (docs/gsi.md, 2): every question is asked a few times; and how both phases draw.

Draws depend on the question, the iteration, the phase and the round alone, so what an earlier run with another number
of draws has drawn is taken over (`earlier`): raising it only adds draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Message, Sampling, Search
from bestpath.core.tables import Row
from bestpath.methods.gsi.prefixes import Prefix, without_overlap


@dataclass(frozen=True)
class SampleRules:
    """The settings of every draw (docs/gsi.md, settings).

    t: the iteration. n_init: plain draws of a question. max_tokens: of a completion, a prefix not counted.
    """

    seed: int
    t: int
    n_init: int
    temperature: float
    top_p: float
    max_tokens: int

    @classmethod
    def of(cls, settings: Row, seed: int, t: int) -> Self:
        """The rules of iteration t, from the settings of its phases."""
        own = cls.__dataclass_fields__.keys() - {"seed", "t"}
        return cls(seed=seed, t=t, **{name: settings[name] for name in own})

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn."""
        return Sampling(self.temperature, self.top_p, max_tokens=self.max_tokens)


@dataclass(frozen=True)
class Help:
    """How the next answer is asked for."""

    strategy: str
    prompt: Prompt
    messages: tuple[Message, ...]
    prefix: Prefix | None = None
    feedback: str | None = None
    teacher_tokens: int = 0
    flags: tuple[str, ...] = ()


def draw(problem: Row, rules: SampleRules, prompt: Prompt, earlier: Sequence[Row] = ()) -> Search[list[Row]]:
    """The plain phase of one question: its rows of DRAWS, ungraded. All draws are asked for at once."""
    help_ = Help("plain", prompt, prompt.messages(problem=problem["question"]))
    known = {row["draw_id"]: row for row in earlier}
    rows = [row_of(problem, rules, help_, "plain", 0, index) for index in range(rules.n_init)]
    new = yield from completed([(row, help_) for row in rows if row["draw_id"] not in known], rules)
    by_id = {**known, **{row["draw_id"]: row for row in new}}
    return [by_id[row["draw_id"]] for row in rows]


def draw_id(problem: Row, rules: SampleRules, phase: str, round_: int, index: int = 0) -> str:
    """The name of a draw."""
    return f"{problem['problem_id']}.{rules.t}.{phase}.{round_}.{index}"


def seed_of_draw(problem: Row, rules: SampleRules, phase: str, round_: int, index: int = 0) -> int:
    """The seed of a draw."""
    return seed_of(rules.seed, problem["problem_id"], rules.t, phase, round_, index)


def row_of(problem: Row, rules: SampleRules, help_: Help, phase: str, round_: int, index: int = 0) -> Row:
    """What is known of a row before there is an answer."""
    return {
        "problem_id": problem["problem_id"],
        "draw_id": draw_id(problem, rules, phase, round_, index),
        "t": rules.t,
        "phase": phase,
        "strategy": help_.strategy,
        "round": round_,
        "index": index,
        "prompt_sha": help_.prompt.sha,
        "seed": seed_of_draw(problem, rules, phase, round_, index),
        "prefix": help_.prefix.text if help_.prefix else "",
        "prefix_share": help_.prefix.share if help_.prefix else 0.0,
        "all_revealed": help_.prefix.whole if help_.prefix else False,
        "feedback": help_.feedback,
        "teacher_tokens": help_.teacher_tokens,
        "flags": list(help_.flags),
    }


def completed(asked: Sequence[tuple[Row, Help]], rules: SampleRules) -> Search[list[Row]]:
    """Rows with their completions, all asked for at once."""
    requests = [
        Generate("actor", help_.messages, rules.sampling, row["seed"], help_.prefix.text if help_.prefix else "")
        for row, help_ in asked
    ]
    completions = cast(Sequence[Completion], (yield requests)) if requests else ()
    return [_completed(row, completion) for (row, _), completion in zip(asked, completions, strict=True)]


def _completed(row: Row, completion: Completion) -> Row:
    continuation, flags = completion.text, list(row["flags"])
    if row["prefix"] and completion.finish != "error":
        if not continuation.strip():
            flags.append("empty_continuation")
        elif (trimmed := without_overlap(row["prefix"], continuation)) != continuation:
            continuation = trimmed
            flags.append("repeats_prefix")
    return row | {
        "text": row["prefix"] + continuation,
        "n_tokens": completion.n_tokens,
        "n_prompt_tokens": completion.n_prompt_tokens,
        "finish_reason": completion.finish,
        "error": completion.error,
        "flags": flags,
    }
