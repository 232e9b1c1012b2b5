from __future__ import annotations

import json
from pathlib import Path

import pytest

from bestpath.core.io import write_json, write_jsonl
from bestpath.core.tables import Table, write_table
from bestpath.stages.report.manifest import read_manifest

NUMBERS = Table("numbers", {"n": "int64"}, ("n",))


def manifest(folder):
    return {
        "experiment": "mine",
        "seeds": [1, 2],
        "reference": "base",
        "benchmarks": "times",
        "methods": [
            {
                "name": name,
                "title": name.capitalize(),
                "report": f"bestpath.methods.{name}.report",
                "facts": {"main": name},
                "files": [
                    {"name": "trials", "path": f"{folder}/{name}.{shard}.parquet", "variant": "main", "shard": shard}
                    for shard in (1, 0)
                ],
            }
            for name in ("beta", "alpha")
        ],
        "files": [{"name": "choice", "path": f"{folder}/choice.json"}, {"name": "rows", "path": f"{folder}/r.jsonl"}],
    }


@pytest.fixture
def given(tmp_path):
    for name in ("alpha", "beta"):
        for shard in (0, 1):
            write_table(tmp_path / f"{name}.{shard}.parquet", NUMBERS, [{"n": 2 * n + shard} for n in range(2)])
    write_json(tmp_path / "choice.json", {"chosen": "ties"})
    write_jsonl(tmp_path / "r.jsonl", [{"a": 1}])
    return read_manifest(json.dumps(manifest(tmp_path), sort_keys=True))


def test_methods_keep_their_order_and_see_their_own_files_and_the_common_ones(given):
    assert [(method.name, method.title) for method in given.methods] == [("beta", "Beta"), ("alpha", "Alpha")]
    assert (given.seeds, given.reference, given.benchmarks) == ((1, 2), "base", Path("times"))
    files = given.methods[0].files
    assert [entry.name for entry in files.entries] == ["trials", "trials", "choice", "rows"]
    assert files.facts == {"main": "beta"}
    assert [entry.name for entry in given.files.entries] == ["choice", "rows"]


def test_entries_are_found_by_name_and_labels_in_the_order_of_the_manifest(given):
    files = given.methods[0].files
    assert [entry["shard"] for entry in files.of("trials", variant="main")] == [1, 0]
    assert files.of("trials", variant="other") == () == files.of("nothing")
    assert files.one("trials", shard=0).path.name == "beta.0.parquet"


def test_rows_of_shards_come_in_the_order_of_the_key(given):
    files = given.methods[0].files
    assert [row["n"] for row in files.rows("trials", NUMBERS)] == [0, 1, 2, 3]
    assert files.one("trials", shard=1).rows(NUMBERS) == [{"n": 1}, {"n": 3}]
    assert files.one("choice").json() == {"chosen": "ties"}
    assert files.one("rows").jsonl() == [{"a": 1}]


def test_one_entry_is_one(given):
    files = given.methods[0].files
    with pytest.raises(ValueError, match="2 entries of trials with any labels"):
        files.one("trials")
    with pytest.raises(ValueError, match="0 entries of trials with shard 7"):
        files.one("trials", shard=7)


def test_every_path_counts_once(given):
    names = [entry.path.name for entry in given.all_files]
    assert len(names) == len(set(names)) == 6


def test_a_manifest_may_stand_in_a_file(given, tmp_path):
    write_json(tmp_path / "manifest.json", manifest(tmp_path))
    assert read_manifest(str(tmp_path / "manifest.json")) == given
