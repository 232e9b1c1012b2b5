from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.provenance import Origin
from bestpath.core.tables import Table
from bestpath.runtime.earlier import Earlier, budget_free

DRAWN = Table("drawn", {"problem_id": "string", "draw_id": "string", "text": "string"}, ("draw_id",))


def row(problem: str, number: int) -> dict[str, str]:
    return {"problem_id": problem, "draw_id": f"{problem}.{number}", "text": "x"}


def test_what_was_drawn_is_kept_beside_what_comes_after(tmp_path: Path) -> None:
    path = tmp_path / "drawn/key.parquet"
    assert Earlier.at(path, DRAWN).rows == {}
    Earlier.at(path, DRAWN).keep([row("a", 0), row("b", 0)])
    Earlier.at(path, DRAWN).keep([row("a", 1)])
    assert {name: len(rows) for name, rows in Earlier.at(path, DRAWN).rows.items()} == {"a": 2, "b": 1}


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "key.parquet"
    Earlier.at(path, DRAWN).keep([row("a", 0)])
    path.write_bytes(path.read_bytes()[:40])
    assert Earlier.at(path, DRAWN).rows == {}


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["cot", "pot"]))
def test_the_budget_alone_is_left_out_of_the_key(k: int, rounds: int, mode: str) -> None:
    def key(**rules: object) -> str:
        origin = Origin("gsi_guide", {"rules": json.dumps(rules), "graded": "out.parquet"}, ())
        return budget_free(origin, ["k", "rounds"])

    assert key(k=k, rounds=rounds, mode=mode) == key(k=1, rounds=1, mode=mode)
    assert (key(k=1, rounds=1, mode=mode) == key(k=1, rounds=1, mode="cot")) == (mode == "cot")


def test_rows_lie_under_their_key(tmp_path: Path) -> None:
    origin = Origin("gsi_guide", {"rules": json.dumps({"k": 1, "mode": "cot"})}, ())
    Earlier.of(tmp_path, origin, ["k"], DRAWN).keep([row("a", 0)])
    more = Origin("gsi_guide", {"rules": json.dumps({"k": 2, "mode": "cot"})}, ())
    assert Earlier.of(tmp_path, more, ["k"], DRAWN).rows == {"a": [row("a", 0)]}
    assert Earlier.of(tmp_path, more, [], DRAWN).rows == {}
