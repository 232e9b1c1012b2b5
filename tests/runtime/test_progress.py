from __future__ import annotations

import io

from bestpath.runtime import progress


def test_elsewhere_than_on_a_terminal_a_bar_writes_lines(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    with progress.progress_bar("pretrain", "step", total=4, done=1) as bar:
        for _ in range(3):
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("pretrain: 1/4 steps")
    assert lines[-1].startswith("pretrain: 4/4 steps")
    assert not any("\r" in line or not line.strip() for line in lines)


def test_what_is_quickly_over_writes_nothing(capsys):
    with progress.progress_bar("reference", "batch", total=3) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_is_drawn_over_itself(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(progress, "progress_stream", lambda: terminal)
    with progress.progress_bar("pretrain", "step", total=2) as bar:
        bar.update(2)
    assert "\r" in terminal.getvalue() and "2/2" in terminal.getvalue()


def test_the_rule_s_descriptor_is_where_progress_goes(monkeypatch, tmp_path):
    with (tmp_path / "shown").open("w") as file:
        monkeypatch.setenv("BESTPATH_PROGRESS_FD", str(file.fileno()))
        print("so far", file=progress.progress_stream(), flush=True)
    assert (tmp_path / "shown").read_text() == "so far\n"
