from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core import io, tables
from bestpath.core.errors import UserError
from bestpath.core.rejects import REJECTS, Rejects, check_nothing_lost
from bestpath.stages.evaluation.tables import SCORES


def reject(problem_id: str, reason: str = "r", sample_id: str | None = None) -> tables.Row:
    return {"stage": "s", "problem_id": problem_id, "sample_id": sample_id, "reason": reason, "detail": ""}


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.none() | st.text(max_size=3)), max_size=20))
def test_equal_content_gives_equal_bytes_whatever_the_order(rows: list[tuple[str, str, str | None]]) -> None:
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    one, two = folder / f"one-{os.getpid()}.parquet", folder / f"two-{os.getpid()}.parquet"
    table = [reject(*row) for row in rows]
    tables.write_table(one, REJECTS, table, {"b": "2", "a": "1"})
    tables.write_table(two, REJECTS, table[::-1], {"a": "1", "b": "2"})
    assert one.read_bytes() == two.read_bytes()
    read = tables.read_table(one, REJECTS)
    assert sorted(map(str, read)) == sorted(map(str, table))
    assert tables.made_from(one) == {"a": "1", "b": "2"}
    one.unlink()
    two.unlink()


def test_a_row_with_other_columns_or_a_forbidden_null_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns"):
        tables.write_table(tmp_path / "t.parquet", REJECTS, [{"stage": "s"}])
    with pytest.raises(ValueError, match="must not be null"):
        tables.write_table(tmp_path / "t.parquet", REJECTS, [{**reject("p"), "reason": None}])
    assert not list(tmp_path.iterdir())


def test_a_truncated_table_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    tables.write_table(path, REJECTS, [reject("p")])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="delete it and run the workflow again"):
        tables.read_table(path, REJECTS)


def test_a_table_is_not_taken_for_another(tmp_path: Path) -> None:
    tables.write_table(tmp_path / "t.parquet", REJECTS, [])
    with pytest.raises(UserError, match="'rejects', not 'scores'"):
        tables.read_table(tmp_path / "t.parquet", SCORES)


def test_a_failed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), io.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_nothing_is_lost_silently() -> None:
    rejects = Rejects("s")
    rejects.add("p1", "why")
    check_nothing_lost("s", 3, 2, rejects)
    with pytest.raises(AssertionError, match="lost rows"):
        check_nothing_lost("s", 4, 2, rejects)
