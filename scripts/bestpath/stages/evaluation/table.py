"""The result table: as CSV with every number, as Markdown, and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from bestpath.core.io import atomic_path, write_json
from bestpath.stages.evaluation.results import Result, wide_row
from bestpath.stages.evaluation.words import percent, points, tokens_change


def csv_text(results: Sequence[Result]) -> str:
    """All numbers, one line a system, data set and decoding; empty cells for values that do not exist."""
    rows = [wide_row(result) for result in results]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0] if rows else ())
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return stream.getvalue()


def markdown(results: Sequence[Result]) -> str:
    """A Markdown table for each data set and decoding, under a heading."""
    return "\n\n".join(f"### {title}\n\n{_table(rows, 'pipe')}" for title, rows in _groups(results)) + "\n"


def terminal(results: Sequence[Result]) -> str:
    """The same tables for a terminal, narrower: n and the token limit stand above them, headings in two lines."""
    parts = []
    for title, rows in _groups(results):
        limits = " or ".join(dict.fromkeys(row.pop("max tokens") for row in rows))
        sizes = " or ".join(dict.fromkeys(row.pop("n") for row in rows))
        two_lines = [{heading.replace(" ", "\n", 1): cell for heading, cell in row.items()} for row in rows]
        parts.append(f"{title}: n = {sizes}, at most {limits} tokens\n\n{_table(two_lines, 'simple')}")
    return "\n\n".join(parts)


def write_results(folder: Path | str, results: Sequence[Result]) -> None:
    """Write results.csv, results.md and results.json (the rows of `wide_row`) into a folder."""
    folder = Path(folder)
    for name, text in (("results.csv", csv_text(results)), ("results.md", markdown(results))):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_json(folder / "results.json", [wide_row(result) for result in results])


def _groups(results: Sequence[Result]) -> list[tuple[str, list[dict[str, str]]]]:
    """The lines of each data set and decoding, with a title."""
    groups: dict[str, list[dict[str, str]]] = {}
    for result in results:
        groups.setdefault(f"{result.dataset}, {result.decoding}", []).append(_line(result))
    return list(groups.items())


def _table(rows: Sequence[dict[str, str]], form: str) -> str:
    from tabulate import tabulate

    aligned = ("left", *["right"] * (len(rows[0]) - 1))
    return tabulate(rows, headers="keys", tablefmt=form, disable_numparse=True, colalign=aligned)


def _line(result: Result) -> dict[str, str]:
    m, c = result.measured, result.compared
    delta = ratio = ""
    if c is not None:
        delta = points(c.delta, c.delta_low, c.delta_high).replace(" points", "")
        if c.token_ratio is not None:
            ratio = tokens_change(c.token_ratio, c.ratio_low, c.ratio_high).replace(" tokens", "")
    per_problem = m.samples / m.problems / m.seeds
    return {
        "system": result.system if m.seeds == 1 else f"{result.system}, {m.seeds} seeds",
        "accuracy, %": f"{percent(m.accuracy)} ± {percent(m.accuracy_se)}",
        "points against base": delta,
        "tokens": "" if m.tokens is None else f"{m.tokens:.1f}",
        "tokens against base": ratio,
        "cut off, %": percent(m.truncation),
        "no answer, %": percent(m.no_answer),
        "n": str(m.problems) if per_problem == 1 else f"{m.problems} x {per_problem:g}",
        "max tokens": str(result.max_tokens),
    }


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value
