"""The tables that pass between rules: declared once, written atomically, with nothing lost silently.

Parquet (zstd) with fixed columns in a fixed order; rows sorted by the table's key; so equal content gives equal
bytes. A table's metadata carries digests of what it was made from (see `provenance`). Training sets are JSONL.
"""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bestpath.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

_REMEDIES = {
    errno.EACCES: "make the folder writable",
    errno.EPERM: "make the folder writable",
    errno.EROFS: "make the folder writable",
    errno.ENOSPC: "free some disk space and run the workflow again",
    errno.EDQUOT: "free some disk space and run the workflow again",
}


@dataclass(frozen=True)
class Table:
    """A table's name, its columns (name -> type; a trailing `?` allows null) and its sort key."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]


PROBLEMS = Table(
    "problems",
    {
        "problem_id": "string",
        "dataset": "string",
        "question": "string",
        "answer": "string",
        "kind": "string",
        "choices": "string?",  # JSON list of [label, text] pairs, in order
        "solution": "string?",
        "level": "int64?",
        "split": "string",
    },
    ("problem_id",),
)

SAMPLES = Table(
    "samples",
    {
        "problem_id": "string",
        "sample_id": "string",
        "decoding": "string",
        "role": "string",
        "prompt_sha": "string",
        "seed": "int64",
        "text": "string",
        "n_tokens": "int64",
        "n_prompt_tokens": "int64",
        "finish_reason": "string",
    },
    ("problem_id", "sample_id"),
)

SCORES = Table(
    "scores",
    {
        "problem_id": "string",
        "sample_id": "string",
        "decoding": "string",
        "answer": "string?",
        "verdict": "string",
        "rule": "string",
        "n_tokens": "int64",
        "finish_reason": "string",
    },
    ("problem_id", "sample_id"),
)

REJECTS = Table(
    "rejects",
    {
        "stage": "string",
        "problem_id": "string",
        "sample_id": "string?",
        "reason": "string",
        "detail": "string",
    },
    ("problem_id", "sample_id", "reason", "detail"),
)

METRICS = Table(
    "metrics",
    {
        "model": "string",
        "dataset": "string",
        "metric": "string",
        "value": "float64",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "n": "int64",
    },
    ("model", "dataset", "metric"),
)


@dataclass
class Rejects:
    """Collects the rows that a stage drops, each with its reason."""

    stage: str
    rows: list[Row] = field(default_factory=list)

    def add(self, problem_id: str, reason: str, detail: str = "", sample_id: str | None = None) -> None:
        """Record one dropped row; `reason` is a short code, `detail` says more in words."""
        self.rows.append(
            {
                "stage": self.stage,
                "problem_id": problem_id,
                "sample_id": sample_id,
                "reason": reason,
                "detail": detail,
            }
        )

    def counts(self) -> dict[str, int]:
        """Dropped rows by reason, the most frequent first."""
        return dict(Counter(row["reason"] for row in self.rows).most_common())


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`; what is written there takes its place whole, or not at all.

    Raises UserError when the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        raise UserError(f"cannot write {path} ({error.strerror}); {remedy}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema of a table."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    fields = []
    for name, kind in table.columns.items():
        base = kind.removesuffix("?")
        type_ = pa.list_(pa.string()) if base == "list[string]" else types[base]
        fields.append(pa.field(name, type_, nullable=kind.endswith("?")))
    return pa.schema(fields)


def write_table(path: Path | str, table: Table, rows: Iterable[Row], made_from: Mapping[str, str] | None = None) -> int:
    """Write rows as Parquet, sorted by the table's key, and return their number.

    `made_from` holds the digests of code, settings, prompts, models and seeds. Raises ValueError for a row whose
    columns are not the table's, or for a null where none is allowed: both are mistakes of the caller.
    """
    import pyarrow.parquet as pq

    rows = list(rows)
    for row in rows:
        if row.keys() != table.columns.keys():
            odd = sorted(row.keys() ^ table.columns.keys())
            raise ValueError(f"a row of {table.name} has missing or unknown columns: {', '.join(odd)}")
    arrow = _checked_table(table, _sorted(rows, table))
    arrow = arrow.replace_schema_metadata({"table": table.name, **dict(sorted((made_from or {}).items()))})
    with atomic_path(path) as temporary:
        pq.write_table(
            arrow, temporary, compression="zstd", compression_level=3, row_group_size=10_000, write_page_checksum=True
        )
    return len(rows)


def _checked_table(table: Table, rows: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    schema = schema_of(table)
    arrow = pa.Table.from_pylist(list(rows), schema=schema)
    for column in schema:
        if not column.nullable and arrow.column(column.name).null_count:
            raise ValueError(f"column {column.name} of {table.name} must not be null")
    return arrow


def read_table(path: Path | str, table: Table, columns: Sequence[str] | None = None) -> list[Row]:
    """Read the rows of a table, whole or only some columns.

    Raises UserError when the file is missing, damaged (its pages carry checksums), or not such a table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        arrow = pq.read_table(
            path, columns=list(columns) if columns else None, partitioning=None, page_checksum_verification=True
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"cannot read the table {path} ({_first_line(error)}); delete it and run the workflow again"
        ) from error
    name = (arrow.schema.metadata or {}).get(b"table", b"").decode()
    if name != table.name:
        raise UserError(f"{path} holds a table '{name}', not '{table.name}'; delete it and run the workflow again")
    rows: list[Row] = arrow.to_pylist()
    return rows


def read_tables(paths: Iterable[Path | str], table: Table) -> list[Row]:
    """The rows of several files of one table, for example its shards, in the order of the table's key."""
    return _sorted([row for path in paths for row in read_table(path, table)], table)


def _sorted(rows: Iterable[Row], table: Table) -> list[Row]:
    return sorted(rows, key=lambda row: tuple((row[k] is not None, row[k]) for k in table.key))


def made_from(path: Path | str) -> dict[str, str]:
    """The digests recorded in a table's metadata."""
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    hidden = {b"ARROW:schema", b"table"}
    return {key.decode(): value.decode() for key, value in metadata.items() if key not in hidden}


def check_nothing_lost(stage: str, n_in: int, n_out: int, rejects: Rejects) -> None:
    """Assert that every row that went in came out or was rejected with a reason."""
    if n_in != n_out + len(rejects.rows):
        raise AssertionError(
            f"{stage} lost rows: {n_in} in, {n_out} out and {len(rejects.rows)} rejected do not add up"
        )


def write_jsonl(path: Path | str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON Lines in the given order and return their number."""
    count = 0
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_jsonl(path: Path | str) -> list[Row]:
    """Read JSON Lines written by `write_jsonl`. Raises UserError when the file is missing or damaged."""
    return [_decoded(line, path) for line in _text(path).splitlines()]


def write_json(path: Path | str, value: object) -> None:
    """Write one JSON document, indented, with sorted keys."""
    with atomic_path(path) as temporary:
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path | str) -> Any:
    """Read one JSON document. Raises UserError when the file is missing or damaged."""
    return _decoded(_text(path), path)


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _decoded(text: str, path: Path | str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path | str, error: Exception) -> UserError:
    return UserError(f"cannot read {path} ({_first_line(error)}); delete it and run the workflow again")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
