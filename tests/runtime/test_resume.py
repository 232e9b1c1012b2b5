from __future__ import annotations

from pathlib import Path

from bestpath.runtime.resume import spend, sweep


def test_only_spent_state_is_swept(tmp_path: Path) -> None:
    for key in ("done", "under_way"):
        (tmp_path / "recut_explore" / key).mkdir(parents=True)
    spend(tmp_path / "recut_explore" / "done")
    spend(tmp_path / "recut_explore" / "never_there")
    sweep(tmp_path)
    assert [path.name for path in (tmp_path / "recut_explore").iterdir()] == ["under_way"]
