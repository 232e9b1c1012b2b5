"""The merge methods and their settings (docs/recut.md, merging), in the words of mergekit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError, nearest

DELTA_METHODS = ("dare_ties", "ties", "dare_linear", "task_arithmetic")
METHODS = (*DELTA_METHODS, "sce", "linear", "slerp")


@dataclass(frozen=True)
class Method:
    """A merge method and its settings.

    The methods on deltas, theta_i - theta_base, take any number of models:
    `task_arithmetic` adds the deltas times `weight`; `ties` first keeps the largest `density` of each tensor's
    entries, elects a sign for every entry and adds what agrees; `dare_ties` and `dare_linear` instead keep a random
    `density` of the entries, scaled so that each tensor's L1 norm stays the same. `normalize` divides by the sum of
    the weights of what was added: with equal weights the value of `weight` then cancels, so it is no interpolation
    coefficient. `sce` keeps the `density` of entries with the largest variance over the models and weighs each
    model by the mean square of its delta (mergekit takes equal weights when these sum to less than 1e-6).
    `linear` and `slerp` go from the second model to the first: `share` is the first model's share, so that `linear`
    is share * first + (1 - share) * second. They know no base.
    Raises UserError for a value that makes no sense.
    """

    method: str
    density: float
    weight: float
    normalize: bool
    share: float | None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            hint = nearest(self.method, METHODS)
            meant = f"did you mean '{hint}'?" if hint else f"known: {', '.join(METHODS)}"
            raise UserError(f"the merge method '{self.method}' is unknown; {meant}")
        if not 0 < self.density <= 1:
            raise UserError(f"the density of merge method {self.method} is {self.density}, but must be in (0, 1]")
        if self.weight <= 0:
            raise UserError(f"the weight of merge method {self.method} is {self.weight}, but must be above 0")
        if (self.method in ("linear", "slerp")) != (self.share is not None):
            needs = "needs a" if self.share is None else "has no"
            raise UserError(f"merge method {self.method} {needs} share; `linear` and `slerp` alone have one")
        if self.share is not None and not 0 <= self.share <= 1:
            raise UserError(f"the share of merge method {self.method} is {self.share}, but must be in [0, 1]")


def configuration(method: Method, base: Path, models: Sequence[Path], dtype: str) -> dict[str, Any]:
    """mergekit's configuration: everything stated, float32 throughout, one cast to `dtype` at the end.

    Raises UserError when `linear` or `slerp` does not get exactly two models.
    """
    if method.share is not None and len(models) != 2:
        raise UserError(f"merge method {method.method} takes two models, not {len(models)}")
    common = {"merge_method": method.method, "dtype": "float32", "out_dtype": dtype}
    if method.method == "linear":
        shares = (method.share, 1 - (method.share or 0))
        sources = [_source(path, weight=share) for path, share in zip(models, shares, strict=True)]
        return {**common, "models": sources, "parameters": {"normalize": False}}
    if method.method == "slerp":
        first, second = models
        sources = [_source(second), _source(first)]
        return {**common, "base_model": str(second), "models": sources, "parameters": {"t": method.share}}
    if method.method == "sce":
        sources = [_source(path) for path in models]
        return {**common, "base_model": str(base), "models": sources, "parameters": {"select_topk": method.density}}
    return {
        **common,
        "base_model": str(base),
        "models": [_source(path, weight=method.weight, density=method.density) for path in models],
        "parameters": {"normalize": method.normalize, "rescale": method.method.startswith("dare"), "lambda": 1.0},
    }


def _source(path: Path, **parameters: float | None) -> dict[str, Any]:
    return {"model": str(path), "parameters": parameters}
