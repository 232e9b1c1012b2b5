"""Sampling and its budget (spec 3.2): every question a few times, those short of k correct answers again, with help.

The guided phase is one search a question: a deficient question asks again as soon as its last verdict is in, at most
`rounds` times. Draws depend on the question, the iteration, the phase and the round alone, so what an earlier run with
another k, R or number of plain draws has drawn is taken over (`earlier`): raising them only adds draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from bestpath.answers import gsi_compat
from bestpath.answers.sandbox import answer_of
from bestpath.core.errors import UserError
from bestpath.core.problems import choices_of
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Grade, Ran, Run, Sampling, Search, Verdict
from bestpath.core.tables import Row
from bestpath.methods.gsi import leaks
from bestpath.methods.gsi.guidance import Guidance, Help

_LEAST_RATE = 1 / 8  # adaptive draws take a question to be no harder than this

Mode = Literal["cot", "pot"]
Verifier = Literal["equiv", "gsi_compat"]


@dataclass(frozen=True)
class SampleRules:
    """The settings of both phases; the spec's defaults.

    t: the iteration. k: correct answers wanted. wanted: k of every question, or of each a share of k that grows with
    its failures in the plain phase (`by_failure`, DART's prop2diff). rounds: R, the most extra draws. draws: one at a
    time, or as many at once as the deficit lets expect (`adaptive`). count_repeats: guided answers with equal texts all
    count towards k (released), though selection keeps one of them. max_tokens: of a completion, a prefix not counted.
    mode: rationales (`cot`) or programs (`pot`). verifier: ours, or the released one (`gsi_compat`).
    """

    seed: int
    t: int
    n_init: int = 8
    k: int = 4
    wanted: Literal["k", "by_failure"] = "k"
    rounds: int = 8
    draws: Literal["one", "adaptive"] = "one"
    count_repeats: bool = False
    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 1024
    mode: Mode = "cot"
    verifier: Verifier = "equiv"

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn."""
        return Sampling(self.temperature, self.top_p, max_tokens=self.max_tokens)


def draw(problem: Row, rules: SampleRules, prompt: Prompt, earlier: Sequence[Row] = ()) -> Search[list[Row]]:
    """The plain phase of one question: its rows of DRAWS, ungraded. All draws are asked for at once."""
    help_ = Help("plain", prompt, prompt.messages(problem=problem["question"]))
    known = {row["draw_id"]: row for row in earlier}
    rows = [_row(problem, rules, help_, "plain", 0, index) for index in range(rules.n_init)]
    new = yield from _drawn([(row, help_) for row in rows if row["draw_id"] not in known], rules)
    by_id = {**known, **{row["draw_id"]: row for row in new}}
    return [by_id[row["draw_id"]] for row in rows]


def grade(problem: Row, rows: Sequence[Row], mode: Mode = "cot", verifier: Verifier = "equiv") -> Search[list[Row]]:
    """Rows of GRADED from rows of DRAWS. A completion that was cut off is `truncated`, whatever it says.

    In mode `pot` a completion is run, and the last line that it prints is its answer (spec 3.6).
    """
    programs = mode == "pot"
    asked = [row for row in rows if row["finish_reason"] == "stop"]
    runs: dict[str, Ran] = {}
    if programs and asked:
        ran = cast(Sequence[Ran], (yield [Run(row["text"]) for row in asked]))
        runs = {row["draw_id"]: run for row, run in zip(asked, ran, strict=True)}
        asked = [row for row in asked if answer_of(runs[row["draw_id"]]) is not None]
    verdicts: dict[str, Verdict] = {}
    if asked:
        gold, kind, choices = problem["answer"], problem["kind"], choices_of(problem)
        said = [f"The answer is {answer_of(runs[row['draw_id']])}" if programs else row["text"] for row in asked]
        given: Sequence[Verdict]
        if verifier == "gsi_compat":
            given = [gsi_compat.verdict(text, gold, problem["dataset"], kind) for text in said]
        else:
            given = cast(Sequence[Verdict], (yield [Grade(text, gold, kind, choices) for text in said]))
        verdicts = {row["draw_id"]: verdict for row, verdict in zip(asked, given, strict=True)}
    return [_graded(row, verdicts.get(row["draw_id"]), runs.get(row["draw_id"])) for row in rows]


def guide(
    problem: Row, rules: SampleRules, guidance: Guidance, plain: Sequence[Row], earlier: Sequence[Row] = ()
) -> Search[list[Row]]:
    """The guided phase of one question: its further rows of GRADED, none for a question that has k correct answers.

    `plain` are its graded plain draws. Ends when k are correct, after R draws, or when the help of a round cannot be
    had; that round is a row with the verdict `not_done` and the reason.
    """
    known = {row["draw_id"]: row for row in earlier if row["verdict"] != "not_done"}
    guided: list[Row] = []
    not_done: list[Row] = []
    while not not_done and (missing := _missing(rules, plain, guided)) > 0:
        rounds = range(len(guided) + 1, len(guided) + 1 + missing)
        ids = {_draw_id(problem, rules, "guided", round_): round_ for round_ in rounds}
        asked: list[tuple[Row, Help]] = []
        for round_ in (round_ for id_, round_ in ids.items() if id_ not in known):
            seed = _seed(problem, rules, "guided", round_)
            help_ = yield from guidance.help(problem, round_, [*plain, *guided], seed)
            if isinstance(help_, str):
                not_done = [_not_done(problem, rules, guidance, round_, help_)]
                break
            asked.append((_row(problem, rules, help_, "guided", round_), help_))
        drawn = yield from _drawn(asked, rules)
        graded = yield from grade(problem, drawn, rules.mode, rules.verifier)
        by_id = {**known, **{row["draw_id"]: row for row in graded}}
        guided += [by_id[id_] for id_ in ids if id_ in by_id]
    return guided + not_done


def check_done(rows: Sequence[Row], most: float) -> None:
    """Raises UserError when a teacher failed more than the share `most` of the questions that needed help."""
    asked = {row["problem_id"] for row in rows}
    failed = [row for row in rows if row["verdict"] == "not_done" and row["error"] == "teacher_failed"]
    if len(failed) > most * len(asked):
        raise UserError(
            f"the teacher gave no feedback on {len(failed)} of {len(asked)} questions, more than "
            f"gsi.guidance.teacher.max_not_done = {most:g} allows; look after the teacher and start again: what was "
            "drawn is kept"
        )


def _missing(rules: SampleRules, plain: Sequence[Row], guided: Sequence[Row]) -> int:
    """How many answers to ask for now."""
    left, deficit = rules.rounds - len(guided), _wanted(rules, plain) - _found(rules, plain, guided)
    if left <= 0 or deficit <= 0:
        return 0
    if rules.draws == "one":
        return 1
    rate = sum(row["verdict"] == "correct" for row in guided) / len(guided) if guided else 0.0
    wanted: int = math.ceil(deficit / max(rate, _LEAST_RATE))
    return min(left, wanted)


def _found(rules: SampleRules, plain: Sequence[Row], guided: Sequence[Row]) -> int:
    """How many right answers a question has. Equal plain ones all count: they show that it is easy."""
    right = ([row for row in rows if row["verdict"] == "correct"] for rows in (plain, guided))
    known, new = ([leaks.words_of(row["text"]) for row in rows] for rows in right)
    return len(known) + (len(new) if rules.count_repeats else len({*new} - {*known}))


def _wanted(rules: SampleRules, plain: Sequence[Row]) -> int:
    """How many correct answers a question is to have."""
    if rules.wanted == "k" or not plain:
        return rules.k
    failed = sum(row["verdict"] != "correct" for row in plain)
    wanted: int = -(-rules.k * failed // len(plain))
    return wanted


def _not_done(problem: Row, rules: SampleRules, guidance: Guidance, round_: int, reason: str) -> Row:
    """The row of a round whose help cannot be had."""
    help_ = Help(guidance.strategy, guidance.prompts["plain"], ())
    nothing = {"text": "", "n_tokens": 0, "n_prompt_tokens": 0, "answer": None, "output": None}
    why = {"finish_reason": "error", "error": reason, "verdict": "not_done"}
    return _row(problem, rules, help_, "guided", round_) | nothing | why


def _draw_id(problem: Row, rules: SampleRules, phase: str, round_: int, index: int = 0) -> str:
    return f"{problem['problem_id']}.{rules.t}.{phase}.{round_}.{index}"


def _seed(problem: Row, rules: SampleRules, phase: str, round_: int, index: int = 0) -> int:
    return seed_of(rules.seed, problem["problem_id"], rules.t, phase, round_, index)


def _row(problem: Row, rules: SampleRules, help_: Help, phase: str, round_: int, index: int = 0) -> Row:
    """What is known of a row before there is an answer."""
    return {
        "problem_id": problem["problem_id"],
        "draw_id": _draw_id(problem, rules, phase, round_, index),
        "t": rules.t,
        "phase": phase,
        "strategy": help_.strategy,
        "round": round_,
        "index": index,
        "prompt_sha": help_.prompt.sha,
        "seed": _seed(problem, rules, phase, round_, index),
        "prefix": help_.prefix.text if help_.prefix else "",
        "prefix_share": help_.prefix.share if help_.prefix else 0.0,
        "all_revealed": help_.prefix.whole if help_.prefix else False,
        "feedback": help_.feedback,
        "teacher_tokens": help_.teacher_tokens,
        "flags": list(help_.flags),
    }


def _drawn(asked: Sequence[tuple[Row, Help]], rules: SampleRules) -> Search[list[Row]]:
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
        elif (trimmed := leaks.without_overlap(row["prefix"], continuation)) != continuation:
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


def _graded(row: Row, verdict: Verdict | None, run: Ran | None) -> Row:
    """A row with its verdict. A prefix that was not continued is no answer, even if one stands in it."""
    answer = None
    if row["finish_reason"] != "stop":
        outcome = "error" if row["finish_reason"] == "error" else "truncated"
    elif "empty_continuation" in row["flags"]:
        outcome = "no_answer"
    elif verdict is None:
        outcome = {"ok": "no_output", "no_output": "no_output", "timeout": "exec_timeout"}.get(
            run.status if run else "", "exec_error"
        )
    else:
        outcome = "verify_timeout" if verdict.outcome == "timeout" else verdict.outcome
        answer = verdict.answer
    return row | {"answer": answer, "verdict": outcome, "output": run and run.stdout}
