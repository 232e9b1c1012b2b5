from __future__ import annotations

from bestpath.core.problems import by_problem


def test_rows_are_grouped_in_their_order() -> None:
    rows = [{"problem_id": name, "n": n} for n, name in enumerate("aba")]
    assert by_problem(rows) == {"a": [rows[0], rows[2]], "b": [rows[1]]}
