"""The gate that keeps the names of methods in their own files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bestpath.catalog import NAMES
from scripts import check_names
from scripts.check_names import files, own_names, strangers, words
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("scripts/bestpath/methods/gsi/settings.py", ["gsi"]),
        ("scripts/bestpath/methods/gsi/deeper/settings.py", ["gsi"]),
        ("scripts/recut_explore.py", ["recut"]),
        ("rules/recut.smk", ["recut"]),
        ("scripts/bestpath/catalog.py", list(NAMES)),
        ("scripts/bestpath/methods/__init__.py", []),
        ("scripts/bestpath/planning/wiring.py", []),
        ("scripts/bestpath/gsi_words.py", []),
        ("rules/train.smk", []),
    ],
)
def test_a_method_s_files_are_known_by_their_paths(path: str, names: list[str]) -> None:
    assert own_names(Path(path)) == names


def test_a_name_is_a_whole_word() -> None:
    assert words("GsiTrain gsi_select ReCUT's recut-qwen") >= {"gsi", "train", "select", "recut", "qwen"}
    assert "gsi" not in words("gsife brags_in precuts")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('"""As GSI does."""\n\n\ndef f() -> None:\n    """Not ReCUT\'s."""\n    # gsi\n', []),
        ('LIMIT = 3\n"""GSI needs three."""\n', []),
        ('method = "gsi"\n', [(1, "gsi")]),
        ("from bestpath.methods.recut import plan\n", [(1, "recut")]),
        ("x = 1\nif f'{x} of ReCUT':\n    pass\n", [(2, "recut")]),
        ("def train(gsi_rows: int) -> None: ...\n", [(1, "gsi")]),
        ('print(\n    "which",\n    """recut""",\n)\n', [(3, "recut")]),
    ],
)
def test_identifiers_and_texts_count_and_documentation_does_not(
    tmp_path: Path, text: str, lines: list[tuple[int, str]]
) -> None:
    (tmp_path / "module.py").write_text(text)
    assert list(strangers(Path("module.py"), tmp_path)) == lines


def test_paths_in_rules_count(tmp_path: Path) -> None:
    rule = (
        'rule train:\n    """Not of GSI."""\n    output:\n        "<results>/recut/a",\n    log:\n        "gsi.log",\n'
    )
    (tmp_path / "train.smk").write_text(rule)
    assert list(strangers(Path("train.smk"), tmp_path)) == [(4, "recut"), (6, "gsi")]
    (tmp_path / "gsi_words.py").write_text("")
    assert list(strangers(Path("gsi_words.py"), tmp_path)) == [(1, "gsi")]


def test_the_method_of_the_page_names_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/add-a-method.md").read_text("utf-8")
    for path, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(check_names, "NAMES", (*NAMES, "vote"))
    (tmp_path / "Snakefile").write_text("")
    written = files(tmp_path)
    assert {Path("rules/vote.smk"), Path("scripts/bestpath/methods/vote/plan.py")} < set(written)
    assert [(file, *found) for file in written for found in strangers(file, tmp_path)] == []


def test_no_method_is_named_outside_its_files() -> None:
    assert len(files()) > 100
    assert [(file, *found) for file in files() for found in strangers(file)] == []
