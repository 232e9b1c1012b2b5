"""The journal: what it survives."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.errors import UserError
from bestpath.stages.generation.journal import Finished, Journal, Usage

ENTRIES = {
    f"p{i}": Finished([{"text": f"line {i}\nand \u2028 another", "n": i}], {"actor": Usage(i, 10 * i)})
    for i in range(5)
}


def written(path: Path) -> Path:
    with Journal(path, "key") as journal:
        for problem, finished in ENTRIES.items():
            journal.add(problem, finished)
    return path


def read(path: Path, key: str = "key") -> dict[str, Finished]:
    with Journal(path, key) as journal:
        return journal.finished


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    path = written(tmp_path / "deep" / "journal.jsonl")
    assert read(path) == ENTRIES
    lines = path.read_text().split("\n")
    assert len(lines) == 7 and lines[-1] == ""
    assert all(set(json.loads(line)) == {"crc", "entry"} for line in lines[:-1])
    with Journal(path, "key") as journal:
        assert (journal.resumed_problems, journal.resumed_generations) == (5, 0 + 1 + 2 + 3 + 4)


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=8,
)


@given(rows=st.lists(st.dictionaries(st.text(), json_values), max_size=3), problem=st.text(min_size=1))
def test_any_rows_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], problem: str) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path, "key") as journal:
        journal.add(problem, Finished(rows, {"actor": Usage(1, 2), "teacher": Usage(3, 4)}))
    assert read(path) == {problem: Finished(rows, {"actor": Usage(1, 2), "teacher": Usage(3, 4)})}


def test_a_torn_last_line_is_cut_wherever_it_was_torn(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    torn = tmp_path / "torn"
    near_ends = {size for end in [0, *ends] for size in range(end - 3, end + 4)}
    for size in sorted(near_ends & set(range(len(whole) + 1)) | set(range(0, len(whole), 31))):
        torn.write_bytes(whole[:size])
        whole_lines = sum(end <= size for end in ends)
        assert list(read(torn)) == list(ENTRIES)[: max(whole_lines - 1, 0)]
        with Journal(torn, "key") as journal:
            journal.add("next", Finished([], {"actor": Usage(1, 1)}))
        assert "next" in read(torn) and len(read(torn)) == max(whole_lines - 1, 0) + 1


def test_nothing_behind_a_damaged_line_is_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "journal")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"line 2", b"line 9")
    path.write_bytes(b"".join(lines))
    with caplog.at_level(logging.WARNING):
        assert list(read(path)) == ["p0", "p1"]
    assert "damaged line cut off" in caplog.text
    assert path.read_bytes() == b"".join(lines[:3])


def test_a_journal_of_another_key_is_discarded_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "journal")
    with caplog.at_level(logging.WARNING):
        assert read(path, "other key") == {}
    assert len(caplog.records) == 1 and "discarded" in caplog.text
    assert read(path, "key") == {}  # it is gone for good


@pytest.mark.parametrize("content", [b"", b"\n", b"nonsense\n", b"\x00" * 100, b'{"key": "key"}\n'])
def test_anything_else_in_its_place_is_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    assert read(path) == {}
    assert read(written(path)) == ENTRIES


def test_two_runs_cannot_write_one_journal(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal", "key"),
        pytest.raises(UserError, match="another process is writing"),
    ):
        Journal(tmp_path / "journal", "key")
    assert read(tmp_path / "journal") == {}


def test_a_folder_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        Journal(tmp_path / "file" / "journal", "key")


def test_a_removed_journal_leaves_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", "key") as journal:
        journal.add("p", Finished([], {"actor": Usage(1, 1)}))
        journal.remove()
    assert not (tmp_path / "journal").exists()
