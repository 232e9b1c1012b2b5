"""From draws to the next training set (docs/gsi.md, 6): correct answers under the plain prompt, filtered in order.

Every draw that is not taken has a reason: its verdict; `special_tokens`; `leaks_hint` and `loop` (see `leaks`);
`copied_reference`; `duplicate`; `bad_equation`; `over_cap`. The released code takes every correct draw.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bestpath.answers.extraction import before_new_problem
from bestpath.core.errors import UserError
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import generator_for
from bestpath.core.rejects import Rejects, check_nothing_lost
from bestpath.core.tables import Row
from bestpath.core.training_rows import answer_turn, turns
from bestpath.methods.gsi import equations, leaks

_SPECIAL = re.compile(r"<\|[^|>\n]{1,40}\|>|</?s>|\[/?INST\]")


@dataclass(frozen=True)
class SelectRules:
    """The settings of the next training set.

    cap: the most rows of a question, None for as many as are correct (the released `floor`; k gives `uniform`, and
    `clip` of arXiv 2510.26474 without a guided phase). leaks: drop texts that mention help (`hints`, patterns) or go
    round in circles. copies: how many copies of its reference solution a question keeps, of the draws that were shown
    all of it (`rationale`). (What state reset copies is its prefix, which `prefix_share` measures.)
    step_check: drop texts with a wrong equation, by `values`, or as the released code does (`strings`). fill: a
    question short of k right answers gets as many copies of its reference solution as are missing: the control that
    tells guidance from leakage. repeat: a question with fewer rows than k has them repeated in turn (`repeat` there).
    """

    seed: int
    k: int
    cap: int | None
    cap_by: Literal["first", "random", "shortest"]
    dedup: bool
    hints: tuple[str, ...]
    leaks: bool
    copies: Literal["one", "all", "none"]
    step_check: Literal["off", "values", "strings"]
    fill: bool
    repeat: bool
    min_rows: int

    @classmethod
    def of(cls, settings: Row, seed: int) -> SelectRules:
        """The rules from the settings of a training set, which have a k where a question is filled up to it."""
        hints = tuple(settings["hints"] or leaks.HINTS)
        return cls(**{"k": 0, **settings, "seed": seed, "hints": hints})


@dataclass(frozen=True)
class Selection:
    """The next training set, what became of every draw (SAMPLED) and question (QUESTIONS), and the rejects."""

    rows: list[Row]
    sampled: list[Row]
    questions: list[Row]
    rejects: Rejects


def select(
    problems: Sequence[Row],
    graded: Iterable[Row],
    prompt: Prompt,
    rules: SelectRules,
    further: Sequence[Row] = (),
) -> Selection:
    """The next training set from the graded draws of both phases, with `further` rows of earlier sets mixed in.

    `problems` are the pool. Raises UserError with the counts of the verdicts when fewer than `min_rows` rows are left.
    """
    by_problem: dict[str, list[Row]] = {problem["problem_id"]: [] for problem in problems}
    for draw in sorted(graded, key=_draw_order):
        by_problem[draw["problem_id"]].append(draw)
    found = Selection([], [], [], Rejects("gsi_select"))
    n_sampled = 0
    for problem in sorted(problems, key=lambda row: str(row["problem_id"])):
        draws = by_problem[problem["problem_id"]]
        taken, reasons = _taken(problem, draws, rules)
        rows = [_sampled_row(problem, draw, text, prompt) for draw, text in taken]
        n_sampled += len(rows)
        for draw_id, reason in reasons.items():
            found.rejects.add(problem["problem_id"], reason, sample_id=draw_id)
        found.sampled.extend(_became(problem, draw, reasons) for draw in draws)
        if rules.repeat and rows:
            rows += [rows[i % len(rows)] for i in range(max(0, rules.k - len(rows)))]
        if rules.fill and problem["solution"]:
            right = sum(draw["verdict"] == "correct" for draw in draws)  # an easy question's equal texts are no deficit
            rows += [reference_row(problem, prompt, "fill")] * max(0, rules.k - right)
        found.rows.extend(rows)
        found.questions.append(_question(problem, draws, len(rows)))
    check_nothing_lost("gsi_select", sum(map(len, by_problem.values())), n_sampled, found.rejects)
    found.rows.extend(further)
    if len(found.rows) < rules.min_rows:
        verdicts = Counter(draw["verdict"] for draws in by_problem.values() for draw in draws)
        counts = ", ".join(f"{name} {n}" for name, n in verdicts.most_common()) or "no draws"
        raise UserError(
            f"the next training set has {len(found.rows)} rows, fewer than methods.gsi.select.min_rows = "
            f"{rules.min_rows} (verdicts: {counts}); start from a stronger base, draw more, or lower min_rows"
        )
    return found


def reference_row(problem: Row, prompt: Prompt, origin: str = "reference") -> Row:
    """The reference solution of a problem as a training row."""
    row = _row(problem, problem["solution"], prompt)
    return row | {"sample_id": None, "n_tokens": None, "origin": origin, "phase": None, "strategy": None, "round": None}


def references(problems: Iterable[Row], prompt: Prompt) -> tuple[list[Row], Rejects]:
    """D_0: the reference solutions of the pool; a problem without one is rejected (`no_reference`)."""
    problems, rejects = list(problems), Rejects("gsi_references")
    rows = [reference_row(problem, prompt) for problem in problems if problem["solution"]]
    for problem in problems:
        if not problem["solution"]:
            rejects.add(problem["problem_id"], "no_reference")
    check_nothing_lost("gsi_references", len(problems), len(rows), rejects)
    return rows, rejects


def signed(rows: Iterable[Row], problems: Iterable[Row], model: str = "", teacher: str = "") -> list[Row]:
    """Training rows with who is behind their text: the `model` that drew it, with the help of a `teacher` or none, or
    the data set of the reference. Rows of earlier sets keep theirs.
    """
    datasets = {problem["problem_id"]: problem["dataset"] for problem in problems}

    def signature(row: Row) -> Row:
        if row["origin"] != "sampled":
            return {"writer": f"data set {datasets[row['problem_id']]}"}
        helper = {"helper": teacher} if row["strategy"] == "interactive" and teacher else {}
        return {"writer": model, **helper}

    return [row if "writer" in row else row | signature(row) for row in rows]


def within_tokens(graded: Sequence[Row], tokens: int) -> list[Row]:
    """All plain draws, and the guided ones that a budget of generated tokens allows, a round after the other.

    Gives brute force the price of another strategy, the only fair comparison.
    """
    plain = [draw for draw in graded if draw["phase"] == "plain"]
    guided = [draw for draw in graded if draw["phase"] != "plain"]
    for draw in sorted(guided, key=lambda draw: (draw["round"], draw["problem_id"])):
        tokens -= draw["n_tokens"] + draw["teacher_tokens"]
        if tokens < 0:
            break
        plain.append(draw)
    return plain


def suspect_gold(draws: Iterable[Row], answer: str) -> str | None:
    """The one answer that all guided draws of a question agree on, if it is not the gold one."""
    guided = [draw for draw in draws if draw["phase"] == "guided" and draw["verdict"] != "not_done"]
    said = {draw["answer"] for draw in guided}
    if len(guided) < 2 or len(said) != 1 or any(draw["verdict"] == "correct" for draw in guided):
        return None
    [only] = said
    return only if only not in (None, answer) else None


def _taken(problem: Row, draws: Sequence[Row], rules: SelectRules) -> tuple[list[tuple[Row, str]], dict[str, str]]:
    """The draws to train on, each with its text, and the reasons against the others, by draw."""
    left = [(draw, before_new_problem(draw["text"]).rstrip()) for draw in draws]
    reasons: dict[str, str] = {}

    def drop(reason: Callable[[Row, str], str]) -> None:
        nonlocal left
        judged = [(draw, text, reason(draw, text)) for draw, text in left]
        reasons.update({draw["draw_id"]: why for draw, _, why in judged if why})
        left = [(draw, text) for draw, text, why in judged if not why]

    drop(lambda draw, text: "" if draw["verdict"] == "correct" else draw["verdict"])
    drop(lambda draw, text: "special_tokens" if _SPECIAL.search(text) else "")
    if rules.leaks:
        drop(lambda draw, text: "leaks_hint" if leaks.mentions_help(text, rules.hints) else "")
        drop(lambda draw, text: "loop" if leaks.loops(text) else "")
    if rules.copies != "all":
        drop(_copies_over({"one": 1, "none": 0}[rules.copies], problem["solution"]))
    if rules.dedup:
        drop(_seen_before())
    if rules.step_check != "off":
        is_bad = equations.has_wrong if rules.step_check == "values" else equations.fails_released
        drop(lambda draw, text: "bad_equation" if is_bad(text) else "")
    if rules.cap is not None:
        kept = {draw["draw_id"] for draw, _ in _within_cap(left, problem["problem_id"], rules.cap, rules)}
        drop(lambda draw, text: "" if draw["draw_id"] in kept else "over_cap")
    return left, reasons


def _copies_over(most: int, solution: str | None) -> Callable[[Row, str], str]:
    copies = 0

    def reason(draw: Row, text: str) -> str:
        nonlocal copies
        if draw["strategy"] != "rationale" or not leaks.is_copy(text, solution):
            return ""
        copies += 1
        return "copied_reference" if copies > most else ""

    return reason


def _seen_before() -> Callable[[Row, str], str]:
    seen: set[str] = set()

    def reason(draw: Row, text: str) -> str:
        words = leaks.words_of(text)
        known = words in seen
        seen.add(words)
        return "duplicate" if known else ""

    return reason


def _within_cap(
    left: Sequence[tuple[Row, str]], problem_id: str, cap: int, rules: SelectRules
) -> Sequence[tuple[Row, str]]:
    if rules.cap_by == "first" or len(left) <= cap:
        return left[:cap]
    if rules.cap_by == "shortest":
        return sorted(left, key=lambda item: len(item[1]))[:cap]
    return generator_for(rules.seed, problem_id, "cap").sample(list(left), cap)


def _draw_order(draw: Mapping[str, Any]) -> tuple[str, bool, int, int]:
    return draw["problem_id"], draw["phase"] != "plain", draw["round"], draw["index"]


def _row(problem: Row, text: str, prompt: Prompt) -> Row:
    return {
        "problem_id": problem["problem_id"],
        "prompt": turns(prompt.messages(problem=problem["question"])),
        "completion": answer_turn(text),
        "gold": problem["answer"],
    }


def _sampled_row(problem: Row, draw: Row, text: str, prompt: Prompt) -> Row:
    own = {name: draw[name] for name in ("phase", "strategy", "round", "n_tokens")}
    return _row(problem, text, prompt) | own | {"sample_id": draw["draw_id"], "origin": "sampled"}


def _became(problem: Row, draw: Row, reasons: Mapping[str, str]) -> Row:
    """A draw's row of SAMPLED."""
    same = (
        "problem_id",
        "draw_id",
        "phase",
        "strategy",
        "round",
        "verdict",
        "n_tokens",
        "teacher_tokens",
        "prefix_share",
        "all_revealed",
    )
    flags = list(draw["flags"])
    if before_new_problem(draw["text"]).rstrip() != draw["text"].rstrip():
        flags.append("trimmed")
    if draw["phase"] == "guided" and leaks.is_copy(draw["text"], problem["solution"]):
        flags.append("copied_reference")
    drop_reason = reasons.get(draw["draw_id"])
    has_equations = bool(equations.equations(draw["text"]))
    return {name: draw[name] for name in same} | {
        "level": problem["level"],
        "valid": equations.is_valid(draw["text"], draw["answer"]) if has_equations else None,
        "flags": flags,
        "kept": drop_reason is None,
        "drop_reason": drop_reason,
    }


def _question(problem: Row, draws: Sequence[Row], n_rows: int) -> Row:
    """A question's row of QUESTIONS."""
    correct = sum(draw["verdict"] == "correct" for draw in draws)
    return {
        "problem_id": problem["problem_id"],
        "level": problem["level"],
        "n_plain": sum(draw["phase"] == "plain" for draw in draws),
        "n_guided": sum(draw["phase"] == "guided" and draw["verdict"] != "not_done" for draw in draws),
        "n_correct": correct,
        "n_rows": n_rows,
        "verdicts": json.dumps(dict(sorted(Counter(draw["verdict"] for draw in draws).items()))),
        "tail_lost": not correct,
        "suspect_gold": suspect_gold(draws, problem["answer"]),
    }
