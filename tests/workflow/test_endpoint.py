"""Exploration at an endpoint: the same rows as here when the same model stands behind it, and exact staleness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bestpath.core.tables import read_tables
from bestpath.methods.recut.tables import TRIALS
from tests.stages.generation.endpoint_server import ChatServer, by_model, sometimes
from tests.workflow.conftest import Project
from tests.workflow.test_bad_input import assert_told

pytestmark = pytest.mark.workflow

SHARDS = ("recut/main/s1/explore/00000", "recut/main/s1/explore/00001")
OVERLAY = """
compute: {{gpus: {gpus}}}
generation: {{slots: {slots}}}
models:
  base:
    endpoint: {{url: "{url}", model: {model}, takes_top_k: true, timeout_s: 20.0, first_pause_s: 0.01, attempts: 20,
      requests_per_minute: {rate}, prices: {{prompt: 1.0, completion: {price}}}}}
"""


def test_exploring_at_an_endpoint(clone: Project) -> None:
    tables = [clone.results / f"{shard}.parquet" for shard in SHARDS]
    targets = [f"results/tiny/{shard}.parquet" for shard in SHARDS]

    def usages() -> list[dict[str, Any]]:
        files = [table.with_suffix(".usage.json") for table in tables]
        return [json.loads(file.read_text())["roles"]["actor"] for file in files]

    here = read_tables(tables, TRIALS)
    assert {usage["engine"] for usage in usages()} == {"transformers"}
    with ChatServer(by_model(clone.results / "models/base"), sometimes(0.1)) as server:

        def project(**changes: object) -> Project:
            settings = {"gpus": 1, "slots": 8, "model": "tiny", "rate": 1.0e6, "price": 2.0, **changes}
            return clone.overlay(OVERLAY.format(url=server.url, **settings))

        assert project().stale(*targets) == {"recut_explore": 2}
        project().run(*targets)
        assert read_tables(tables, TRIALS) == here
        assert server.most_at_work <= 8  # one job at a time
        first = usages()
        assert sum(usage["answered"] for usage in first) == len(server.served)
        assert all(usage["answered"] == usage["completions"] > 0 for usage in first)

        assert project(slots=3, rate=60.0, price=9.0, gpus=0).stale(*targets) == {}
        assert project(model="other").stale(*targets) == {"recut_explore": 2}

        answered = len(server.served)
        project(price=9.0).run(*targets, "--forcerun", "recut_explore")
        assert len(server.served) == answered
        for before, after in zip(first, usages(), strict=True):
            assert after["paid_tokens"] == before["paid_tokens"]
            assert after["paid"] > before["paid"] > 0  # the same tokens at new prices

    stopped = project().snakemake(*targets, "--forcerun", "recut_explore")
    assert_told(stopped.returncode, stopped.stderr, [server.url, "out of reach"])
    assert read_tables(tables, TRIALS) == here  # nothing was started


def test_only_the_base_is_asked_of_an_endpoint(clone: Project) -> None:
    """A server plays the base model; what the workflow trains it cannot know."""
    overlay = "models: {base: {endpoint: {url: 'http://127.0.0.1:1/v1', model: m, takes_top_k: true}}}"
    printed = clone.overlay(overlay).run(
        "--dry-run", "--printshellcmds", "--forcerun", "evaluate_sample", "recut_explore"
    )
    asked = [line for line in printed.splitlines() if "--engines" in line]
    endpoints = {line for line in asked if '"engine": "endpoint"' in line}
    here = ("train_specialist", "gsi_perplexity")  # beside a trainer, and to score, a model is never elsewhere
    of_the_base = {line for line in asked if "models/base/manifest.json" in line}
    assert endpoints == {line for line in of_the_base if not any(rule in line for rule in here)}
    assert 0 < len(endpoints) < len(asked)


def test_an_endpoint_without_address_stops_before_the_first_job(tmp_path: Path) -> None:
    project = Project.copy_to(tmp_path / "project").overlay("models: {base: {endpoint: {url: here, model: m}}}")
    done = project.snakemake()
    assert_told(done.returncode, done.stderr, ["models.base.endpoint.url", "no plain base address"])
