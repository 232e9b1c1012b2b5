"""What a merge did to the weights: sizes and directions of the deltas, and how much of them survived the cast."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from bestpath.core.models import chunks, open_tensors, tensors
from bestpath.core.tables import Row, Table, read_table

if TYPE_CHECKING:
    import torch

MERGE_REPORT = Table(
    "merge_report",
    {"tensor": "string", "name": "string", "value": "float64"},
    ("tensor", "name"),
)
"""The numbers of a merge, one a row: by tensor, and for all weights together (tensor `*`)."""

ALL = "*"
FEW_CHANGED = 0.2


@dataclass(frozen=True)
class MergeReport:
    """The rows of table `MERGE_REPORT`, the same numbers for all weights together, and warnings."""

    rows: list[Row]
    total: dict[str, float]
    warnings: list[str]


def read_total(path: Path | str) -> dict[str, float]:
    """The numbers for all weights together from a file of table `MERGE_REPORT`."""
    return {row["name"]: row["value"] for row in read_table(path, MERGE_REPORT) if row["tensor"] == ALL}


def merge_report(base: Path, models: Mapping[str, Path], merged: Path) -> MergeReport:
    """Compare the merged model, and the models it was made of by name, with the base.

    delta = weights - base weights, of each model and of `merged`. The numbers, by tensor and in all:
    `weights`: how many there are; `norm/<model>`: L2 norm of a delta; `cosine/<a>/<b>`: of two deltas, 0 if one is
    zero; `sign_agreement/<a>/<b>`: share of entries where both deltas have the same sign among those where neither
    is zero, 0 if there are none; `changed`: share of merged weights that differ from the base's weights cast to the
    merged type. A share `changed` under 0.2 in all gives a warning: the cast swallowed most of the training.
    """
    rows: list[Row] = []
    in_all: Counter[str] = Counter()
    with ExitStack() as stack:
        read_base = stack.enter_context(open_tensors(base))
        folders = {**models, "merged": merged}
        readers = {model: stack.enter_context(open_tensors(folder)) for model, folder in folders.items()}
        common = set(tensors(base)).intersection(*map(tensors, folders.values()))
        for name in sorted(common):
            pieces = chunks({"base": read_base(name), **{model: read(name) for model, read in readers.items()}})
            sums: Counter[str] = Counter()
            for piece in pieces:
                sums.update(_sums(piece.pop("base"), piece))
            in_all.update(sums)
            rows += _rows(name, _numbers(sums, list(folders)))
    total = _numbers(in_all, list(folders))
    warnings = []
    if total["changed"] < FEW_CHANGED:
        warnings.append(
            f"the merge changed only {total['changed']:.1%} of the weights of the base; the deltas are too small for "
            "the merged type: merge to float32, or train with a higher learning rate"
        )
    return MergeReport([*rows, *_rows(ALL, total)], total, warnings)


def _sums(before: torch.Tensor, after: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """What a piece of a tensor adds to the sums from which all numbers follow."""
    deltas = {model: weights.double() - before.double() for model, weights in after.items()}
    sums: dict[str, float] = {"weights": before.numel()}
    sums["changed"] = int((after["merged"] != before.to(after["merged"].dtype)).sum())
    for model, delta in deltas.items():
        sums[f"square/{model}"] = float(delta.dot(delta))
    for a, b in combinations(deltas, 2):
        product = deltas[a] * deltas[b]
        sums[f"dot/{a}/{b}"] = float(product.sum())
        sums[f"same_sign/{a}/{b}"] = int((product > 0).sum())
        sums[f"both/{a}/{b}"] = int((product != 0).sum())
    return sums


def _numbers(sums: Mapping[str, float], models: Sequence[str]) -> dict[str, float]:
    numbers = {"weights": float(sums["weights"]), "changed": _ratio(sums["changed"], sums["weights"])}
    norms = {model: math.sqrt(sums[f"square/{model}"]) for model in models}
    numbers |= {f"norm/{model}": norm for model, norm in norms.items()}
    for a, b in combinations(models, 2):
        numbers[f"cosine/{a}/{b}"] = _ratio(sums[f"dot/{a}/{b}"], norms[a] * norms[b])
        numbers[f"sign_agreement/{a}/{b}"] = _ratio(sums[f"same_sign/{a}/{b}"], sums[f"both/{a}/{b}"])
    return numbers


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0


def _rows(tensor: str, numbers: Mapping[str, float]) -> list[Row]:
    return [{"tensor": tensor, "name": name, "value": value} for name, value in numbers.items()]
