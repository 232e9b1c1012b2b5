"""The settings of models: the base, and those that play other roles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bestpath.settings.base import Count, Section, Share
from bestpath.settings.endpoint import Endpoint


class Lineage(Section):
    """Where a model comes from, as far as it is known: what an audit of its judgments asks."""

    family: str | None = Field(None, description="for example Qwen")
    series: str | None = Field(None, description="for example Qwen2.5")
    base: str | None = Field(None, description="the model that it was trained from")
    trained_on: list[str] = Field([], description="who wrote what it was trained on")
    labelled_by: list[str] = Field([], description="who labelled it")
    selected_by: list[str] = Field([], description="who selected it")
    inherits_from: list[str] = Field([], description="models whose answers its training began with")


class Model(Section):
    """A model: a folder, a hub id, the embedded one, or one behind an endpoint."""

    source: str | None = Field(None, description="`embedded`, a model folder or a hub id; default: the base's")
    endpoint: Endpoint | None = Field(None, description="the server that plays it; see docs/endpoints.md")
    revision: str | None = Field(None, description="hub revision, for example a commit")
    trust_remote_code: bool = Field(False, description="run code that comes with the model")
    dtype: Literal["float32", "bfloat16"] = Field("bfloat16", description="precision of sampling and training")
    context: Count = Field(4096, description="longest prompt and completion together, in tokens")
    engine: Literal["transformers", "vllm"] | None = Field(None, description="default: `generation.engine`")
    slots: Count | None = Field(None, description="default: `generation.slots`")
    gpus: int | None = Field(None, ge=0, description="GPUs of a job that it works in; default: `compute.gpus`")
    mem_mb: Count | None = Field(None, description="memory of a job that it works in; default: `compute.mem_mb`")
    tensor_parallel: Count | None = Field(None, description="default: `generation.vllm.tensor_parallel`")
    gpu_memory: Share | None = Field(
        None, description="share of a GPU's memory; models of one job share its GPUs. Default: of `generation.vllm`"
    )
    lineage: Lineage = Lineage()
