"""The result table: as CSV with every number, as Markdown, and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from bestpath.core.io import atomic_path, write_json
from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.stages.evaluation.words import amount, named, percent, points, tokens_change

WIDTH = 120  # characters of a terminal
DISPENSABLE = ("trained tokens", "trained rows", "sampled", "method")
"""The columns that a terminal can do without, the least needed first; labels tell systems apart without the method."""


def csv_text(lines: Sequence[SystemRow]) -> str:
    """All numbers, one line a system, data set and decoding; empty cells for values that do not exist."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(field.name for field in fields(SystemRow))
    writer.writerows([_cell(value) for value in asdict(line).values()] for line in lines)
    return stream.getvalue()


def markdown(lines: Sequence[SystemRow], metrics: Iterable[Row] = ()) -> str:
    """A Markdown table for each data set and decoding, under a heading.

    `metrics` are rows of `METRICS` that methods add. They have columns of their own; a system without accuracy that
    only they know has its line, too.
    """
    groups = _groups(lines)
    for metric in metrics:
        group = groups.setdefault(f"{metric['dataset']}, {metric['decoding']}", {})
        line = group.setdefault(metric["system"], {"system": metric["system"]})
        against = f" against {named(metric['reference'])}" if metric["reference"] else ""
        line[metric["metric"] + against] = _number(metric["value"], metric["ci_low"], metric["ci_high"])
    return "\n\n".join(f"### {title}\n\n{_table(group.values(), 'pipe')}" for title, group in groups.items()) + "\n"


def terminal(lines: Sequence[SystemRow]) -> str:
    """The same tables for a terminal, narrower: n and the token limit stand above them, headings in two lines.

    What the systems were made from and their methods are shown as far as the width allows.
    """
    parts = []
    for title, group in _groups(lines).items():
        rows = list(group.values())
        limits = " or ".join(dict.fromkeys(row.pop("max tokens") for row in rows))
        sizes = " or ".join(dict.fromkeys(row.pop("n") for row in rows))
        text = _two_lines(rows)
        for heading in DISPENSABLE:
            if max(map(len, text.splitlines())) > WIDTH:
                rows = [{name: cell for name, cell in row.items() if name != heading} for row in rows]
                text = _two_lines(rows)
        parts.append(f"{title}: n = {sizes}, at most {limits} tokens\n\n{text}")
    return "\n\n".join(parts)


def write_results(folder: Path | str, lines: Sequence[SystemRow], metrics: Iterable[Row] = ()) -> None:
    """Write results.csv, results.md and results.json into a folder; `metrics` as in `markdown`."""
    folder = Path(folder)
    for name, text in (("results.csv", csv_text(lines)), ("results.md", markdown(lines, metrics))):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_json(folder / "results.json", [asdict(line) for line in lines])


def _groups(lines: Sequence[SystemRow]) -> dict[str, dict[str, dict[str, str]]]:
    """The cells of each data set and decoding, by the title of the two, and of each system, by its label."""
    several = len({line.method for line in lines}) > 1
    reference = next((line.reference for line in lines if line.reference), "base")
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for line in lines:
        group = groups.setdefault(f"{line.dataset}, {line.decoding}", {})
        group[line.system] = ({"method": line.method} if several else {}) | _cells(line, reference)
    return groups


def _two_lines(rows: Sequence[dict[str, str]]) -> str:
    """A table for the terminal, its headings in two lines."""
    return _table([{heading.replace(" ", "\n", 1): cell for heading, cell in row.items()} for row in rows], "simple")


def _table(rows: Iterable[dict[str, str]], form: str) -> str:
    from tabulate import tabulate

    rows = list(rows)
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    aligned = ["left" if heading in {"method", "system"} else "right" for heading in headings]
    cells = [[row.get(heading, "") for heading in headings] for row in rows]
    return tabulate(cells, headers=headings, tablefmt=form, disable_numparse=True, colalign=aligned)


def _cells(line: SystemRow, reference: str) -> dict[str, str]:
    """The cells of one line, by their headings."""
    delta = ratio = ""
    if line.delta is not None:
        delta = points(line.delta, line.delta_low, line.delta_high).replace(" points", "")
    if line.token_ratio is not None:
        ratio = tokens_change(line.token_ratio, line.ratio_low, line.ratio_high).replace(" tokens", "")
    graded = line.accuracy is not None
    per_problem = line.samples / line.problems / line.seeds
    return {
        "system": line.system if line.seeds == 1 else f"{line.system}, {line.seeds} seeds",
        "accuracy, %": f"{percent(line.accuracy)} ± {percent(line.accuracy_se)}" if graded else "",
        f"points against {reference}": delta,
        "tokens": "" if line.tokens is None else f"{line.tokens:.1f}",
        f"tokens against {reference}": ratio,
        "cut off, %": percent(line.truncation),
        "no answer, %": percent(line.no_answer) if graded else "",
        "n": str(line.problems) if per_problem == 1 else f"{line.problems} x {per_problem:g}",
        "max tokens": str(line.max_tokens),
        "sampled": amount(line.sampled_tokens),
        "trained rows": amount(line.trained_rows),
        "trained tokens": amount(line.trained_tokens),
    }


def _number(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} [{low:.4g}, {high:.4g}]"


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    return "" if value is None else value
