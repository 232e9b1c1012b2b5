"""The tables that pass between rules: a schema declared once, beside the rows that it describes, and written whole.

Parquet (zstd) with fixed columns in a fixed order; rows sorted by the table's key; so equal content gives equal
bytes. A table's metadata carries digests of what it was made from (see `provenance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bestpath.core.errors import UserError
from bestpath.core.io import atomic_path, first_line

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table's name, its columns (name -> type; a trailing `?` allows null) and its sort key."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]


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
            f"cannot read the table {path} ({first_line(error)}); delete it and run the workflow again"
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
