from __future__ import annotations

import pytest

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate
from bestpath.core.tables import Row
from bestpath.methods.gsi.guide import check_done, guide
from bestpath.methods.gsi.tables import GRADED
from tests.methods.gsi.toy import draw, guidance, guide_rules, plain_draws, play, problem

RULES = guide_rules(k=8, rounds=8)


def guided(strategy, answer="no idea", plain=(), rules=RULES, of=None, **settings):  # type: ignore[no-untyped-def]
    """The rows and the requests of a guided phase in which every answer is the same."""
    said = answer if callable(answer) else lambda request: answer
    return play(guide(of or problem(), rules, guidance(strategy, **settings), plain), said)


@pytest.mark.parametrize(
    ("strategy", "shown", "hidden"),
    [
        ("plain", ["plain"], ["12 + 5"]),
        ("answer", ["answer: 17"], ["12 + 5"]),
        ("rationale", ["reference: 4 * 3 = 12\n12 + 5 = 17"], []),
    ],
)
def test_what_the_prompt_shows(strategy: str, shown: list[str], hidden: list[str]) -> None:
    rows, asked = guided(strategy)
    assert len(rows) == 8 and {row["strategy"] for row in rows} == {strategy}
    for request in asked:
        assert all(part in request.messages[-1].content for part in shown)
        assert not any(part in request.messages[-1].content for part in hidden)
        assert not request.prefill
    assert len({request.seed for request in asked}) == 8


def test_state_reset_begins_the_answer_with_the_reference_and_shows_the_plain_prompt() -> None:
    rows, asked = guided("state_reset", "so it is 3")
    first, second = "4 * 3 = 12\n", "4 * 3 = 12\n12 + 5 = 17\n"
    assert [request.prefill for request in asked] == [first, second, second, first, second, second, first, second]
    assert {request.messages[-1].content for request in asked} == {"plain\nproblem: What is q?"}
    assert rows[1]["text"] == second + "so it is 3"
    assert rows[1]["n_tokens"] == 4  # the prefix is not generated
    assert 0.3 < rows[0]["prefix_share"] < rows[1]["prefix_share"] < 1
    assert [row["all_revealed"] for row in rows[:3]] == [False, True, True]


def test_mixed_helps_more_in_every_round() -> None:
    rows, _ = guided("mixed")
    assert [row["strategy"] for row in rows[:7]] == ["plain", *["state_reset"] * 4, "rationale", "rationale"]
    shares = [row["prefix_share"] for row in rows[1:4]]
    assert shares == sorted(shares)


class Dialogue:
    """A teacher and a student: what each is asked, and the teacher's answers."""

    def __init__(self, *feedback: str | Completion) -> None:
        self.feedback = list(feedback)
        self.teacher: list[Generate] = []
        self.student: list[Generate] = []

    def __call__(self, request: Generate) -> str | Completion:
        if request.role == "teacher":
            self.teacher.append(request)
            return self.feedback.pop(0) if self.feedback else "line 2 is wrong"
        self.student.append(request)
        return f"now {request.seed} it is 3"


def test_the_teacher_sees_the_latest_wrong_answer_and_the_student_its_feedback() -> None:
    """Released: the last draw, though it may be correct, and the whole reference in place of the answer."""
    plain = [draw("q", "plain", 0, 0, "wrong", "I say 3"), draw("q", "plain", 0, 1, "correct", "I say 17")]
    dialogue = Dialogue()
    rows, _ = guided("interactive", dialogue, plain, guide_rules(rounds=2))
    assert "attempt: I say 3" in dialogue.teacher[0].messages[-1].content
    assert "answer: 17" in dialogue.teacher[0].messages[-1].content
    assert "12 + 5" not in dialogue.teacher[0].messages[-1].content
    assert "feedback: line 2 is wrong" in dialogue.student[0].messages[-1].content
    assert rows[0]["feedback"] == "line 2 is wrong" and rows[0]["teacher_tokens"] == 4
    assert f"attempt: {rows[0]['text']}" in dialogue.teacher[1].messages[-1].content  # a fresh dialogue on the latest


def test_without_a_wrong_answer_the_student_is_asked_plainly() -> None:
    dialogue = Dialogue()
    rows, _ = guided("interactive", dialogue, plain_draws("q", 2, n=2), guide_rules(rounds=1))
    assert not dialogue.teacher and rows[0]["flags"] == ["nothing_wrong"]


def test_a_teacher_that_fails_is_asked_again_and_then_the_round_does_not_count() -> None:
    wrong = plain_draws("q", 0, n=1)
    failure = Completion("", 0, 0, "error", "engine_error: busy")
    dialogue = Dialogue(failure, failure)
    rows, _ = guided("interactive", dialogue, wrong, guide_rules(rounds=1))
    assert len(rows) == 1 and len(dialogue.teacher) == 3
    assert len({request.seed for request in dialogue.teacher}) == 3
    dialogue = Dialogue(*[failure] * 5)
    rows, _ = guided("interactive", dialogue, wrong)
    assert [(row["verdict"], row["error"]) for row in rows] == [("not_done", "teacher_failed")]
    assert len(dialogue.teacher) == 5
    assert rows[0].keys() == GRADED.columns.keys()
    check_done([*rows, *plain_draws("p", 1), *plain_draws("r", 1)], most=0.4)
    with pytest.raises(UserError, match="gave no feedback on 1 of 2 questions"):
        check_done([*rows, *plain_draws("p", 1)], most=0.4)


def test_feedback_that_tells_the_answer_is_flagged() -> None:
    rows, _ = guided("interactive", Dialogue("it should be 17"), plain_draws("q", 0, n=1), guide_rules(rounds=1))
    assert rows[0]["flags"] == ["answer_in_feedback"]


@pytest.mark.parametrize(
    ("solution", "fallback", "strategy"),
    [(None, "plain", "plain"), ("17", "rationale", "rationale"), (None, "rationale", "plain")],
)
def test_a_reference_that_reveals_nothing(solution: str | None, fallback: str, strategy: str) -> None:
    rows, asked = guided("state_reset", of=problem(solution=solution), without_reference=fallback)
    assert {row["strategy"] for row in rows} == {strategy}
    assert rows[0]["flags"] == ["no_prefix"] and not asked[0].prefill


def test_without_a_reference_there_is_no_rationale() -> None:
    rows, asked = guided("rationale", of=problem(solution=None))
    assert [(row["verdict"], row["error"]) for row in rows] == [("not_done", "no_reference")] and asked == []


@pytest.mark.parametrize(
    ("continuation", "text", "flag", "verdict"),
    [
        ("12 + 5 = 17", "4 * 3 = 12\n12 + 5 = 17", None, "correct"),
        ("4 * 3 = 12\n12 + 5 = 17", "4 * 3 = 12\n12 + 5 = 17", "repeats_prefix", "correct"),
        (" \n", "4 * 3 = 12\n \n", "empty_continuation", "no_answer"),
    ],
)
def test_a_continuation_is_put_behind_its_prefix(continuation: str, text: str, flag: str, verdict: str) -> None:
    rows, _ = guided("state_reset", continuation, rules=guide_rules(rounds=1))
    row: Row = rows[0]
    assert (row["text"], row["flags"], row["verdict"]) == (text, [flag] if flag else [], verdict)


def test_a_prefix_with_the_answer_in_it_is_no_answer_by_itself() -> None:
    rows, _ = guided("state_reset", "", rules=guide_rules(rounds=2))
    assert "17" in rows[1]["text"] and rows[1]["verdict"] == "no_answer"
