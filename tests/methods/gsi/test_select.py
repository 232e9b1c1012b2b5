from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.methods.gsi.select import references, select, suspect_gold
from bestpath.methods.gsi.tables import QUESTIONS, SAMPLED, SFT_COLUMNS, VERDICTS
from tests.methods.gsi.toy import PROMPTS, REFERENCE, draw, plain_draws, problem, select_rules


def rules(**settings):  # type: ignore[no-untyped-def]
    return select_rules(**{"min_rows": 0, **settings})


def selected(draws, problems=None, **settings):  # type: ignore[no-untyped-def]
    return select(problems or [problem()], draws, PROMPTS["plain"], rules(**settings))


def reasons(found) -> dict[str, int]:  # type: ignore[no-untyped-def]
    return found.rejects.counts()


OK = "4 * 3 = 12\nand 12 + 5 = 17"


@pytest.mark.parametrize(
    ("row", "settings", "reason"),
    [
        (draw("q", "plain", 0, 0, "correct", OK), {}, None),
        *((draw("q", "plain", 0, 0, verdict, OK), {}, verdict) for verdict in VERDICTS[1:]),
        (draw("q", "plain", 0, 0, "correct", OK + "<|end|>"), {}, "special_tokens"),
        (draw("q", "plain", 0, 0, "correct", "the given answer is 17"), {}, "leaks_hint"),
        (draw("q", "plain", 0, 0, "correct", "the given answer is 17"), {"leaks": False}, None),
        (draw("q", "plain", 0, 0, "correct", "add\nadd\nadd\n17"), {}, "loop"),
        (draw("q", "guided", 1, 0, "correct", REFERENCE, strategy="rationale"), {}, None),  # one a question is kept
        (draw("q", "guided", 1, 0, "correct", REFERENCE, strategy="rationale"), {"copies": "none"}, "copied_reference"),
        (draw("q", "guided", 1, 0, "correct", REFERENCE, strategy="state_reset"), {"copies": "none"}, None),
        (draw("q", "plain", 0, 0, "correct", "<<5*3=14>> 17"), {}, None),
        (draw("q", "plain", 0, 0, "correct", "<<5*3=14>> 17"), {"step_check": "values"}, "bad_equation"),
        (draw("q", "plain", 0, 0, "correct", "<<10/2=5>> 17"), {"step_check": "values"}, None),
        (draw("q", "plain", 0, 0, "correct", "<<10/2=5>> 17"), {"step_check": "strings"}, "bad_equation"),
        (draw("q", "plain", 0, 0, "correct", "as my friend said: 17"), {"hints": ("friend",)}, "leaks_hint"),
        (draw("q", "plain", 0, 0, "correct", OK), {"cap": 0}, "over_cap"),
    ],
)
def test_why_a_draw_is_not_trained_on(row, settings, reason) -> None:  # type: ignore[no-untyped-def]
    found = selected([row], **settings)
    assert reasons(found) == ({reason: 1} if reason else {})
    assert len(found.rows) == (reason is None)
    assert found.sampled[0]["drop_reason"] == reason and found.sampled[0]["kept"] == (reason is None)
    assert found.sampled[0].keys() == SAMPLED.columns.keys()
    assert found.questions[0].keys() == QUESTIONS.columns.keys()


def test_equal_texts_of_a_question_are_one_row_the_first_draw() -> None:
    draws = [
        draw("q", "plain", 0, i, "correct", text) for i, text in enumerate([OK, OK.replace("\n", "  \n"), "so 17"])
    ]
    found = selected(reversed(draws))
    assert [row["sample_id"] for row in found.rows] == ["q.0.plain.0.0", "q.0.plain.0.2"]
    assert len(selected(draws, dedup=False).rows) == 3


def test_a_second_problem_behind_the_answer_is_cut_off() -> None:
    found = selected([draw("q", "plain", 0, 0, "correct", "The answer is 17.\n\nQuestion: What is 1 + 1?\n2")])
    assert found.rows[0]["completion"][0]["content"] == "The answer is 17."
    assert found.sampled[0]["flags"] == ["trimmed"]


def test_the_trained_prompt_is_the_plain_one_whatever_the_help() -> None:
    found = selected([draw("q", "guided", 1, 0, "correct", OK, strategy="rationale")])
    [row] = found.rows
    assert row["prompt"] == [{"role": "user", "content": "plain\nproblem: What is q?"}]
    assert set(row) == set(SFT_COLUMNS)
    assert (row["origin"], row["strategy"], row["phase"]) == ("sampled", "rationale", "guided")


@pytest.mark.parametrize(("cap_by", "expected"), [("first", ["0", "1"]), ("shortest", ["7", "6"]), ("random", None)])
def test_a_cap_takes_the_first_the_shortest_or_any(cap_by: str, expected: list[str] | None) -> None:
    draws = [draw("q", "plain", 0, i, "correct", f"17{' so' * (9 - i)} 17") for i in range(8)]
    found = [row["sample_id"][-1] for row in selected(draws, cap=2, cap_by=cap_by).rows]
    assert len(found) == 2 and (expected is None or sorted(found) == sorted(expected))
    assert found == [row["sample_id"][-1] for row in selected(draws, cap=2, cap_by=cap_by).rows]


def test_fill_puts_copies_of_the_reference_in_the_place_of_what_is_missing() -> None:
    found = selected(plain_draws("q", 1), fill=True)
    assert Counter(row["origin"] for row in found.rows) == {"sampled": 1, "fill": 3}
    assert found.rows[-1]["completion"][0]["content"] == REFERENCE
    assert len(selected(plain_draws("q", 5), fill=True).rows) == 5
    same = [{**row, "text": "way 0 to 17"} for row in plain_draws("q", 5, n=5)]
    assert len(selected(same, fill=True).rows) == 1  # five right answers are no deficit, though their texts are equal


def test_repeat_takes_the_rows_of_a_question_in_turn() -> None:
    found = selected(plain_draws("q", 3), repeat=True)
    assert [row["sample_id"][-1] for row in found.rows] == ["0", "1", "2", "0"]
    assert selected(plain_draws("q", 0), repeat=True).rows == []


def test_questions_without_a_correct_answer_are_listed_with_their_verdicts() -> None:
    found = selected([draw("q", "plain", 0, 0, "wrong", "3"), draw("q", "plain", 0, 1, "truncated", "")])
    [question] = found.questions
    assert question["tail_lost"] and question["verdicts"] == '{"truncated": 1, "wrong": 1}'


def test_guided_draws_that_agree_on_another_answer_cast_doubt_on_the_gold_one() -> None:
    agreeing = [draw("q", "guided", i, 0, "wrong", "18", answer="18") for i in (1, 2, 3)]
    assert suspect_gold(agreeing, "17") == "18"
    assert suspect_gold([*agreeing, draw("q", "guided", 4, 0, "wrong", "3")], "17") is None
    assert suspect_gold([*agreeing, draw("q", "guided", 4, 0, "correct", "17")], "17") is None
    assert suspect_gold(agreeing[:1], "17") is None
    assert suspect_gold([draw("q", "guided", i, 0, "no_answer", "", answer=None) for i in (1, 2)], "17") is None


def test_too_few_rows_stop_with_the_verdicts() -> None:
    with pytest.raises(
        UserError, match=r"1 rows, fewer than methods.gsi.select.min_rows = 50 \(verdicts: wrong 7, correct 1\)"
    ):
        selected(plain_draws("q", 1), min_rows=50)


def test_the_first_training_set_is_the_references() -> None:
    rows, rejects = references([problem("a"), problem("b", solution=None)], PROMPTS["plain"])
    assert [(row["problem_id"], row["origin"]) for row in rows] == [("a", "reference")]
    assert rejects.counts() == {"no_reference": 1}
    assert set(rows[0]) == set(SFT_COLUMNS)


DRAWN = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["plain", "guided"]), st.sampled_from(VERDICTS), st.integers(0, 2)
    ),
    max_size=12,
)


@given(DRAWN, st.none() | st.integers(1, 3), st.booleans())
def test_every_draw_is_a_row_or_has_a_reason(drawn, cap, dedup) -> None:  # type: ignore[no-untyped-def]
    draws = [draw(name, phase, i, 0, verdict, f"{n} so 17") for i, (name, phase, verdict, n) in enumerate(drawn)]
    found = selected(draws, [problem("a"), problem("b")], cap=cap, dedup=dedup)
    assert len(found.sampled) == len(draws) == len(found.rows) + len(found.rejects.rows)
    assert {row["sample_id"] for row in found.rows} == {row["draw_id"] for row in found.sampled if row["kept"]}
    for name in "ab":
        rows = [row for row in found.rows if row["problem_id"] == name]
        assert cap is None or len(rows) <= cap
        texts = [row["completion"][0]["content"] for row in rows]
        assert not dedup or len(texts) == len(set(texts))
