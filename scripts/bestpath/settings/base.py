"""What all settings are made of: checked sections, and types of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]


class Section(BaseModel):
    """A part of the settings. Unknown keys are errors, and strings are never taken for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class Lora(Section):
    """Low-rank adapters."""

    r: int = Field(8, ge=0, description="their rank; 0 trains all weights")
    alpha: Count = 16
    dropout: Share = 0.0
    targets: str = Field("all-linear", description="or names of modules, separated by commas")


class Training(Section):
    """What every training has: rows, batches, the schedule, and how the weights and devices are used."""

    epochs: Positive = 1.0
    global_batch: Count = Field(8, description="rows or pairs an update")
    micro_batch: Count = Field(1, description="rows or pairs at once on one device; the rest is accumulated")
    max_length: Count = Field(4096, description="longer rows are rejected, never cut")
    warmup_ratio: float = Field(0.1, ge=0.0, lt=1.0)
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    lora: Lora = Lora()
    gradient_checkpointing: bool = False
    padding_free: bool = Field(False, description="SFT without padding between rows; TRL has no such DPO")
    liger: bool = Field(False, description="Liger kernels, on a GPU")
    zero: Literal[0, 2, 3] = Field(0, description="stage of DeepSpeed ZeRO; 0 trains without DeepSpeed")


class MethodSettings(Section):
    """What the section of every method has."""

    run: list[str] = Field(["main"], min_length=1, description="variants to run; `main` is this section itself")
    variants: dict[str, dict[str, Any]] = Field({}, description="a name and the settings of this section that differ")
    base_prompts: list[str] = Field([], description="prompts under which the base is evaluated besides the plain one")
    roles: dict[str, str] = Field(
        {}, description="who plays a role, by its name: an entry of `models`; default: the entry of that name"
    )
    train_on: list[str] = Field(
        [], description="data sets to train on, `train` or names of `problems.others`; default: all"
    )

    def variant(self, name: str) -> Self:
        """The settings of one variant, which has no variants of its own; `main` is the section itself."""
        own = self.model_dump(exclude={"variants", "run"})
        overlay = {} if name == "main" else self.variants[name]
        return type(self).model_validate(plain(deep_merge(own, overlay)))


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
