"""ReCUT explores on vLLM as it does on the transformers engine."""

from __future__ import annotations

import pytest

from bestpath.core.tables import Row, read_table
from bestpath.methods.recut.tables import TRIALS
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

GREEDY = "methods: {recut: {explore: {temperature: 0.0}}}\n"
VLLM = "generation: {engine: vllm, vllm: {eager: true}}\n"
TRIALS_FILE = "results/tiny/recut/main/s1/explore/00000.parquet"


@pytest.mark.needs("vllm")
def test_the_same_searches_and_verdicts_under_greedy_decoding(clone: Project) -> None:
    found: list[list[Row]] = []
    (clone.folder / ".venv-vllm").symlink_to(ROOT / ".venv-vllm")
    for settings in (GREEDY, GREEDY + VLLM):
        clone.overlay(settings).run(TRIALS_FILE)
        found.append(read_table(clone.folder / TRIALS_FILE, TRIALS))
    assert found[0] == found[1]
    assert {trial["verdict"] for trial in found[0]} >= {"correct", "wrong"}
    assert max(trial["round"] for trial in found[0]) > 1


def test_an_engine_that_is_not_installed(clone: Project) -> None:
    done = clone.overlay(VLLM).snakemake()
    assert done.returncode == 1
    assert "run `make vllm`" in done.stdout + done.stderr
