from __future__ import annotations

from pathlib import Path

import pytest

from bestpath.core import provenance


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bestpath" / "inner").mkdir(parents=True)
    (tmp_path / "bestpath" / "__init__.py").write_text("")
    (tmp_path / "bestpath" / "inner" / "__init__.py").write_text("")
    (tmp_path / "bestpath" / "a.py").write_text("def f():\n    return 1\n")
    (tmp_path / "bestpath" / "inner" / "b.py").write_text("from bestpath import a\n\n\ndef g():\n    return a.f()\n")
    (tmp_path / "bestpath" / "lonely.py").write_text("X = 1\n")
    (tmp_path / "program.py").write_text("def main():\n    from bestpath.inner.b import g\n    print(g())\n")
    monkeypatch.setattr(provenance, "SCRIPTS", tmp_path)
    return tmp_path


def code(program: str = "program") -> dict[str, str]:
    provenance._module.cache_clear()
    return dict(entry.split() for entry in provenance.code_of(program))


def test_the_code_of_a_program_is_what_it_reaches(scripts: Path) -> None:
    assert set(code()) == {"program", "bestpath", "bestpath.inner", "bestpath.inner.b", "bestpath.a"}


def test_comments_docstrings_and_layout_do_not_count(scripts: Path) -> None:
    before = code()
    (scripts / "bestpath" / "a.py").write_text('"""A."""\n# why\ndef f():\n    """F."""\n    return (1)\n')
    assert code() == before


def test_a_change_of_behaviour_names_its_module(scripts: Path) -> None:
    before = code()
    (scripts / "bestpath" / "a.py").write_text("def f():\n    return 2\n")
    after = code()
    assert {name for name in after if after[name] != before[name]} == {"bestpath.a"}


def test_imports_for_type_checking_only_do_not_count(scripts: Path) -> None:
    (scripts / "bestpath" / "a.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from bestpath import lonely\n"
    )
    assert "bestpath.lonely" not in code()


def test_the_key_of_resume_state_depends_on_settings_and_input_contents(scripts: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("one")
    key = provenance.origin_of("program", {"n": 1}, [source]).key
    assert provenance.origin_of("program", {"n": 1}, [source]).key == key
    assert provenance.origin_of("program", {"n": 2}, [source]).key != key
    limited = provenance.origin_of("program", {"n": 1, "limits": "{}"}, [source])
    assert (limited.key, limited.digests["settings"]) == (key, provenance.digest({"n": 1}))  # they change no result
    source.write_text("two")
    assert provenance.origin_of("program", {"n": 1}, [source]).key != key
