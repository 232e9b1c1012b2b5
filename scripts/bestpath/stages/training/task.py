"""What one training session is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bestpath.core.tables import Row
from bestpath.stages.training.recipe import Recipe
from bestpath.stages.training.reference import Reference


@dataclass(frozen=True)
class Task:
    """Training the model of a folder by a recipe on encoded rows (see `rows.encode`).

    `work` is the folder of its state; `reference` holds what is known of the rows' reference log-probabilities.
    """

    recipe: Recipe
    base: Path
    tokenizer: Any
    train_rows: Sequence[Row]
    dev_rows: Sequence[Row]
    work: Path
    reference: Reference
