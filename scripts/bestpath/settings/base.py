"""What all settings are made of: checked sections, and types of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]


class Section(BaseModel):
    """A part of the settings. Unknown keys are errors, and strings are never taken for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class Lora(Section):
    """Low-rank adapters."""

    r: Count = 8
    alpha: Count = 16
    dropout: Share = 0.0
    targets: str = "all-linear"


def deep_merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the entries of `above` laid over it, mapping by mapping."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def in_order(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Names in an order of their own: the known ones first, as they stand there, then the others by the alphabet.

    An overlay that changes one variant moves it to the front of a merged configuration.
    """
    places = {name: place for place, name in enumerate(known)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def plain(value: Any) -> Any:
    """A configuration as pydantic's strict mode expects it.

    YAML has no tuples. An entry that an overlay sets to null is left out: it takes its default, or, in a mapping of
    names such as `merge.methods`, is removed.
    """
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if v is not None}
        return {k: tuple(v) if k == "operations" and isinstance(v, list) else plain(v) for k, v in kept.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def sections_in(annotation: Any) -> list[type[Section]]:
    """The sections that a setting's type holds, for example in a mapping of names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for arg in getattr(annotation, "__args__", ()) for found in sections_in(arg)]
