"""The manifest of a report: which files there are, by name and labels, and which module tells each method's story.

It is JSON:

    {"experiment": "mine", "seeds": [1], "reference": "base", "benchmarks": "<folder of the jobs' times>",
     "methods": [{"name": "...", "title": "...", "report": "<a module>", "facts": {...}, "files": [...]}],
     "files": [{"name": "scores", "path": "...", "system": "base", "dataset": "test", ...}, ...]}

An entry of `files` has a name, a path and any labels; each method sees its own files and the common ones. A table
whose rows are completions, with `n_tokens` and `n_prompt_tokens`, is labelled `draws`, so that its cost is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bestpath.core.io import read_json, read_jsonl
from bestpath.core.tables import Row, Table, read_table, read_tables


@dataclass(frozen=True)
class Entry:
    """A file with its name and labels."""

    name: str
    path: Path
    labels: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Any:
        return self.labels[label]

    def rows(self, table: Table, columns: Sequence[str] | None = None) -> list[Row]:
        """The rows of a Parquet file. Raises UserError when it is not such a table."""
        return read_table(self.path, table, columns)

    def json(self) -> Any:
        """The content of a JSON file."""
        return read_json(self.path)

    def jsonl(self) -> list[Row]:
        """The rows of a JSON Lines file."""
        return read_jsonl(self.path)


@dataclass(frozen=True)
class Files:
    """The files that a story is told from, and facts that stand in none of them."""

    entries: tuple[Entry, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def of(self, name: str, **labels: object) -> tuple[Entry, ...]:
        """The entries of a name that carry these labels, in the order of the manifest."""
        return tuple(
            entry
            for entry in self.entries
            if entry.name == name and all(entry.labels.get(label) == value for label, value in labels.items())
        )

    def one(self, name: str, **labels: object) -> Entry:
        """The only entry of a name that carries these labels. Raises ValueError when there is none, or several."""
        found = self.of(name, **labels)
        if len(found) != 1:
            which = ", ".join(f"{label} {value}" for label, value in labels.items())
            raise ValueError(f"the manifest has {len(found)} entries of {name} with {which or 'any labels'}, not one")
        return found[0]

    def rows(self, name: str, table: Table, **labels: object) -> list[Row]:
        """The rows of all entries of a name that carry these labels (shards), in the order of the table's key."""
        return read_tables([entry.path for entry in self.of(name, **labels)], table)


@dataclass(frozen=True)
class Teller:
    """A method in the manifest: its name, its title, the module that tells its story, and what it tells it from."""

    name: str
    title: str
    report: str
    files: Files


@dataclass(frozen=True)
class Manifest:
    """What a report is of. `files` are those that belong to no method, `all_files` those of all methods, too."""

    experiment: str
    seeds: tuple[int, ...]
    reference: str
    benchmarks: Path
    methods: tuple[Teller, ...]
    files: Files

    @property
    def all_files(self) -> tuple[Entry, ...]:
        """Every entry, each path once."""
        every = [*self.files.entries, *(entry for method in self.methods for entry in method.files.entries)]
        return tuple({entry.path: entry for entry in every}.values())


def read_manifest(text: str) -> Manifest:
    """A manifest from JSON, or from the file of that name."""
    given = json.loads(text) if text.lstrip().startswith("{") else read_json(text)
    common = _entries(given["files"])
    return Manifest(
        experiment=given["experiment"],
        seeds=tuple(given["seeds"]),
        reference=given["reference"],
        benchmarks=Path(given["benchmarks"]),
        methods=tuple(
            Teller(
                method["name"],
                method["title"],
                method["report"],
                Files((*_entries(method["files"]), *common), method["facts"]),
            )
            for method in given["methods"]
        ),
        files=Files(common),
    )


def _entries(given: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(entry["name"], Path(entry["path"]), {k: v for k, v in entry.items() if k not in ("name", "path")})
        for entry in given
    )
