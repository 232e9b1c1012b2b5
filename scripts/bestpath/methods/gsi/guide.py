"""The guided phase and its budget (docs/gsi.md, 2): questions short of k correct answers are asked again, with help.

It is one search a question: a deficient question asks again as soon as its last verdict is in, at most `rounds` times.
What an earlier run with another k, R or number of plain draws has drawn is taken over (`earlier`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bestpath.core.errors import UserError
from bestpath.core.search import Search
from bestpath.core.tables import Row
from bestpath.methods.gsi import leaks
from bestpath.methods.gsi.grade import Mode, Verifier, grade
from bestpath.methods.gsi.guidance import Guidance
from bestpath.methods.gsi.sample import Help, SampleRules, completed, draw_id, row_of, seed_of_draw

BUDGET = ("k", "rounds", "wanted", "count_repeats")
"""The settings on which no draw depends, only how many there are."""

_LEAST_RATE = 1 / 8  # adaptive draws take a question to be no harder than this


@dataclass(frozen=True)
class GuideRules(SampleRules):
    """The settings of the guided phase, besides its help.

    k: correct answers wanted. wanted: k of every question, or of each a share of k that grows with its failures in the
    plain phase (`by_failure`, DART's prop2diff). rounds: R, the most further draws. draws: one at a time, or as many at
    once as the deficit lets expect (`adaptive`). count_repeats: answers with equal texts all count towards k
    (released), though selection keeps one of them.
    """

    k: int
    wanted: Literal["k", "by_failure"]
    rounds: int
    draws: Literal["one", "adaptive"]
    count_repeats: bool
    mode: Mode
    verifier: Verifier


def guide(
    problem: Row, rules: GuideRules, guidance: Guidance, plain: Sequence[Row], earlier: Sequence[Row] = ()
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
        ids = {draw_id(problem, rules, "guided", round_): round_ for round_ in rounds}
        asked: list[tuple[Row, Help]] = []
        for round_ in (round_ for id_, round_ in ids.items() if id_ not in known):
            seed = seed_of_draw(problem, rules, "guided", round_)
            help_ = yield from guidance.help(problem, round_, [*plain, *guided], seed)
            if isinstance(help_, str):
                not_done = [_not_done(problem, rules, guidance, round_, help_)]
                break
            asked.append((row_of(problem, rules, help_, "guided", round_), help_))
        rows = yield from completed(asked, rules)
        graded = yield from grade(problem, rows, rules.mode, rules.verifier)
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
            f"methods.gsi.guidance.teacher.max_not_done = {most:g} allows; look after the teacher and start again: "
            "what was drawn is kept"
        )


def _missing(rules: GuideRules, plain: Sequence[Row], guided: Sequence[Row]) -> int:
    """How many answers to ask for now."""
    left, deficit = rules.rounds - len(guided), _wanted(rules, plain) - _found(rules, plain, guided)
    if left <= 0 or deficit <= 0:
        return 0
    if rules.draws == "one":
        return 1
    rate = sum(row["verdict"] == "correct" for row in guided) / len(guided) if guided else 0.0
    wanted: int = math.ceil(deficit / max(rate, _LEAST_RATE))
    return min(left, wanted)


def _found(rules: GuideRules, plain: Sequence[Row], guided: Sequence[Row]) -> int:
    """How many right answers a question has. Equal plain ones all count: they show that it is easy."""
    right = ([row for row in rows if row["verdict"] == "correct"] for rows in (plain, guided))
    known, new = ([leaks.words_of(row["text"]) for row in rows] for rows in right)
    return len(known) + (len(new) if rules.count_repeats else len({*new} - {*known}))


def _wanted(rules: GuideRules, plain: Sequence[Row]) -> int:
    """How many correct answers a question is to have."""
    if rules.wanted == "k" or not plain:
        return rules.k
    failed = sum(row["verdict"] != "correct" for row in plain)
    wanted: int = -(-rules.k * failed // len(plain))
    return wanted


def _not_done(problem: Row, rules: GuideRules, guidance: Guidance, round_: int, reason: str) -> Row:
    """The row of a round whose help cannot be had."""
    help_ = Help(guidance.strategy, guidance.prompts["plain"], ())
    nothing = {"text": "", "n_tokens": 0, "n_prompt_tokens": 0, "answer": None, "output": None}
    why = {"finish_reason": "error", "error": reason, "verdict": "not_done"}
    return row_of(problem, rules, help_, "guided", round_) | nothing | why
