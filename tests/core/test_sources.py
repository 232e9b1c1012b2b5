from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core import problems, sources
from bestpath.core.errors import UserError
from bestpath.core.rejects import Rejects
from bestpath.core.sources import Fields
from bestpath.core.tables import read_table, write_table
from bestpath.settings import common as settings


def fields_of(**given: str) -> Fields:
    """Where questions and answers have their usual names, and nothing else is there but what is given."""
    return Fields(**{**settings.Fields().model_dump(), **given})


def integer_gold(gold: str, kind: str, choices: object) -> str | None:
    return None if gold.lstrip("-").isdigit() else f"'{gold}' is no integer"


def rows(*questions: str) -> list[dict | None]:
    return [{"question": question, "answer": str(i)} for i, question in enumerate(questions)]


def normalised(raw: list, fields: Fields | None = None) -> tuple[list, Rejects]:
    rejects = Rejects("problems")
    return sources.normalise(raw, fields or fields_of(), "d", "number", integer_gold, rejects), rejects


def test_bad_rows_are_rejected_with_a_reason_and_counted() -> None:
    raw = [*rows("How many?", "how  MANY?", "Else?"), None, {"question": "", "answer": "1"}]
    raw += [{"question": "No gold", "answer": None}, {"question": "Odd gold", "answer": "x"}]
    kept, rejects = normalised(raw)
    assert [row["question"] for row in kept] == ["How many?", "Else?"]
    assert rejects.counts() == {"bad_gold": 2, "duplicate_question": 1, "bad_row": 1, "bad_question": 1}
    assert len(raw) == len(kept) + len(rejects.rows)


def test_a_missing_field_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no field 'question'.*did you mean 'questions'"):
        normalised([{"questions": "q", "answer": "1"}])


def test_duplicate_ids_are_an_error() -> None:
    raw: list = [{"question": f"q{i}", "answer": "1", "id": "same"} for i in range(2)]
    with pytest.raises(UserError, match="the id 'same' twice"):
        normalised(raw, fields_of(id="id"))


def test_too_many_bad_rows_stop_the_run_with_an_example() -> None:
    kept, rejects = normalised([*rows("a"), {"question": "b", "answer": "x"}])
    assert kept
    with pytest.raises(UserError, match=r"1 of 2 rows .*bad_gold, 'x' is no integer"):
        sources.check_share_of_bad(2, rejects, 0.1, "d")
    sources.check_share_of_bad(2, rejects, 0.5, "d")


def test_the_gold_answer_stands_after_the_hashes_of_a_rationale() -> None:
    kept, _ = normalised([{"question": "q", "answer": "He has 3 * 4 = <<3*4=12>>12 eggs.\n#### 12"}])
    assert kept[0]["answer"] == "12"


@pytest.mark.parametrize(
    "choices",
    [{"A": "one", "B": "two"}, ["A)one", "B)two"], ["one", "two"], {"label": ["A", "B"], "text": ["one", "two"]}],
)
def test_every_form_of_choices_is_read(choices: object) -> None:
    kept, _ = normalised([{"question": "q", "answer": "1", "c": choices}], fields_of(choices="c"))
    assert problems.choices_of(kept[0]) == (("A", "one"), ("B", "two"))
    assert kept[0]["question"] == "q\n(A) one\n(B) two"


CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}]
CHAT += [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "What is 2 + 2?"}]


@pytest.mark.parametrize("chat", [CHAT, json.dumps(CHAT), [{**turn, "id": 7} for turn in CHAT]])
def test_a_chat_asks_in_the_place_of_a_question(chat: object) -> None:
    kept, rejects = normalised([{"chat": chat, "answer": "4"}], fields_of(messages="chat"))
    assert not rejects.rows
    assert [(turn.role, turn.content) for turn in problems.messages_of(kept[0])] == [
        (turn["role"], turn["content"]) for turn in CHAT
    ]
    assert kept[0]["question"] == "Hello.\n\nWhat is 2 + 2?"
    asked, _ = normalised([{"chat": chat, "answer": "4", "question": "Two and two?"}], fields_of(messages="chat"))
    assert asked[0]["question"] == "Two and two?" and asked[0]["messages"] == kept[0]["messages"]


@pytest.mark.parametrize(
    "chat", [CHAT[:-1], "not JSON", [{"role": "robot", "content": "x"}], [*CHAT, {"role": "user"}], {"role": "user"}, 7]
)
def test_what_is_no_chat_is_rejected(chat: object) -> None:
    kept, rejects = normalised([{"chat": chat, "question": "q", "answer": "1"}], fields_of(messages="chat"))
    assert not kept and rejects.counts() == {"bad_question": 1}


def test_a_row_without_a_chat_is_asked_by_its_question() -> None:
    raw = [{"chat": CHAT, "answer": "4"}, {"question": "And 3?", "answer": "3"}, {"chat": [], "answer": "5"}]
    kept, rejects = normalised(raw, fields_of(messages="chat"))
    assert [(row["question"][-14:], problems.messages_of(row) == ()) for row in kept] == [
        ("What is 2 + 2?", False),
        ("And 3?", True),
    ]
    assert rejects.counts() == {"bad_question": 1}


def test_an_open_problem_needs_no_answer() -> None:
    raw = [{"question": "Why?", "good": "Because."}, {"question": "How?", "good": None, "answer": "so"}]
    rejects = Rejects("problems")
    kept = sources.normalise(raw, fields_of(reference="good"), "d", "open", integer_gold, rejects)
    assert [(row["answer"], row["reference"], row["kind"]) for row in kept] == [
        (None, "Because.", "open"),
        ("so", None, "open"),
    ]
    with pytest.raises(UserError, match="no field 'answer'"):
        normalised([{"question": "Why?"}])


def test_problems_with_and_without_them_are_one_table(tmp_path: Path) -> None:
    kept, _ = normalised([{"chat": CHAT, "answer": "4"}], fields_of(messages="chat"))
    others, _ = normalised(rows("q"))
    write_table(tmp_path / "p.parquet", problems.PROBLEMS, [*kept, *others])
    assert len(read_table(tmp_path / "p.parquet", problems.PROBLEMS)) == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_every_format_gives_the_same_problems(tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    frame = pd.DataFrame({"question": ["What is ½?", "And 3?"], "answer": [7, 3]})
    path = tmp_path / f"data{suffix}"
    if suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif suffix == ".json":
        frame.to_json(path, orient="records")
    elif suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    kept, rejects = normalised(sources.read_rows(str(path)))
    assert [(row["question"], row["answer"]) for row in kept] == [("What is ½?", "7"), ("And 3?", "3")]
    assert not rejects.rows


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.jsonl", None, "there is no data file"),
        ("empty.jsonl", b"", "holds no rows"),
        ("latin.jsonl", '{"question": "é"}'.encode("latin-1"), "not UTF-8"),
        ("broken.json", b"[{", "not valid JSON"),
        ("object.json", b"{}", "JSON list"),
        ("cut.parquet", b"PAR1 and then nothing", "not a Parquet file"),
        ("data.txt", b"x", "cannot tell the format"),
    ],
)
def test_a_bad_file_is_one_clear_sentence(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        sources.read_rows(str(path))


def test_a_broken_line_is_a_bad_row_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "a", "answer": "1"}\n{"question": \n{"question": "b", "answer": "2"}\n')
    assert [row and row["question"] for row in sources.read_rows(str(path))] == ["a", None, "b"]


def test_problems_that_share_thirteen_words_with_a_test_are_contaminated() -> None:
    words = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
    ]
    tests, _ = normalised(rows(" ".join(words) + " end?"))
    pool, _ = normalised(rows("Start: " + " ".join(words).upper() + "!", " ".join(words[1:]), "Quite another?"))
    rejects = Rejects("problems")
    kept = sources.decontaminate(pool, tests, 13, rejects)
    assert [row["question"] for row in kept] == [" ".join(words[1:]), "Quite another?"]
    assert rejects.counts() == {"contaminated": 1}
    assert sources.decontaminate(pool, tests, 0, Rejects("problems")) == pool


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
def test_a_larger_draw_keeps_the_smaller_one(n: int, more: int, seed: int) -> None:
    pool, _ = normalised(rows(*(f"question {i}" for i in range(40))))
    rejects = Rejects("problems")
    small = sources.draw(pool, n, seed, rejects)
    assert small == sources.draw(pool, n + more, seed, Rejects("problems"))[:n]
    assert len(pool) == len(small) + len(rejects.rows)


@given(st.integers(1, 60), st.integers(1, 20))
def test_shards_cover_the_problems_in_order(n: int, size: int) -> None:
    pool, _ = normalised(rows(*(f"question {i}" for i in range(n))))
    shards = [problems.shard_of(pool, i, size) for i in range(-(-n // size) + 1)]
    assert [row for shard in shards for row in shard] == pool


def test_the_dev_split_has_the_share_asked_for() -> None:
    pool, _ = normalised(rows(*(f"question {i}" for i in range(50))))
    split = sources.split_dev(pool, 0.3, 42)
    assert sum(row["split"] == "dev" for row in split) == 15
    assert split == sources.split_dev(pool[::-1], 0.3, 42)


def test_real_data_is_read_whole(real_data: Path) -> None:
    for name, choices in (("gsm8k_test", None), ("svamp_test", None), ("aqua_rat_test", "choices")):
        raw = sources.read_rows(str(real_data / f"{name}.jsonl"))
        rejects = Rejects("problems")
        fields = fields_of(id="id", choices=choices)
        kept = sources.normalise(raw, fields, name, "math", lambda *_: None, rejects)
        assert len(kept) + len(rejects.rows) == len(raw)
        assert set(rejects.counts()) <= {"duplicate_question"}
        assert json.loads(kept[0]["choices"] or "[]") if choices else kept[0]["choices"] is None
