from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bestpath.core import provenance


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "bestpath" / "inner").mkdir(parents=True)
    (tmp_path / "bestpath" / "__init__.py").write_text("")
    (tmp_path / "bestpath" / "inner" / "__init__.py").write_text("")
    (tmp_path / "bestpath" / "a.py").write_text("def f():\n    return 1\n")
    (tmp_path / "bestpath" / "inner" / "b.py").write_text("from bestpath import a\n\n\ndef g():\n    return a.f()\n")
    (tmp_path / "bestpath" / "lonely.py").write_text("X = 1\n")
    (tmp_path / "program.py").write_text("def main():\n    from bestpath.inner.b import g\n    print(g())\n")
    monkeypatch.setattr(provenance, "SCRIPTS", tmp_path)
    yield tmp_path
    forget()


def forget() -> None:
    """Files change here, and are those of another folder elsewhere."""
    for remembered in (provenance._code_of, provenance._module, provenance._library):
        remembered.cache_clear()


def code(*modules: str, program: str = "program") -> dict[str, str]:
    forget()
    return dict(entry.split() for entry in provenance.code_of(program, *modules))


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


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_what_is_loaded_by_name_counts_with_what_it_reaches(scripts: Path) -> None:
    (scripts / "bestpath" / "loaded.py").write_text("from bestpath import lonely\n")
    before = code("bestpath.loaded")
    assert {"bestpath.loaded", "bestpath.lonely"} <= before.keys()
    assert changed(code(), before) == {"bestpath.loaded", "bestpath.lonely"}


def test_of_a_module_of_constants_those_count_that_are_imported(scripts: Path) -> None:
    tables = scripts / "bestpath" / "tables.py"
    tables.write_text('"""Tables."""\n\n_KEY = ("id",)\nONE = ["a", _KEY]\n"""One."""\nTWO: list = ["b"]\n')
    (scripts / "program.py").write_text("from bestpath.tables import ONE\nprint(ONE)\n")
    before = code()
    assert {"bestpath.tables:ONE", "bestpath.tables:_KEY"} <= before.keys()
    assert not {"bestpath.tables", "bestpath.tables:TWO"} & before.keys()
    tables.write_text(tables.read_text() + "THREE = ['c']\n")
    tables.write_text(tables.read_text().replace('["b"]', '["bb"]'))
    assert changed(before, code()) == set()
    tables.write_text(tables.read_text().replace('("id",)', '("other",)'))
    assert changed(before, code()) == {"bestpath.tables:_KEY"}


def test_a_module_that_does_more_counts_whole(scripts: Path) -> None:
    (scripts / "bestpath" / "a.py").write_text("X = 1\n\n\ndef f():\n    return X\n")
    (scripts / "program.py").write_text("from bestpath.a import X\nprint(X)\n")
    assert "bestpath.a" in code() and "bestpath.a:X" not in code()
