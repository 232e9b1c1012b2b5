"""How fast models are and how much they write: what is assumed, and what a run tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bestpath.catalog import METHODS, pattern_of
from bestpath.core.declarations import Habits
from bestpath.core.errors import UserError
from bestpath.planning.throughput import ASSUMPTIONS, Speed, load, measure, rate_of
from tests.conftest import ROOT

SPEEDS = [Speed(gpu="h100", billions=8.0, rate=12500.0), Speed(gpu="h100", billions=0.5, rate=90000.0)]
ASSUMED = Habits(steps=5.0, solution=300.0, answer=700.0, prompt=310.0, pairs={"length": 0.7, "sft": 0.8})


def test_the_assumptions_that_come_with_the_project_can_be_read() -> None:
    throughput = load(ROOT / ASSUMPTIONS)
    assert throughput.gpus == ["h100", "a100"]
    assert (throughput.habits_of("some/model").solution, throughput.habits_of("embedded").solution) == (300, 40)


@pytest.mark.parametrize(
    ("given", "instead", "entry"),
    [("merging: 150", "merging: fast", "merging"), ("{steps: 5,", "{steps: 0,", r"habits\.default\.steps")],
)
def test_an_entry_that_cannot_be_used_is_named(tmp_path: Path, given: str, instead: str, entry: str) -> None:
    text = (ROOT / ASSUMPTIONS).read_text().replace(given, instead)
    (tmp_path / "throughput.yaml").write_text(text)
    with pytest.raises(UserError, match=rf"throughput\.yaml: the entry {entry} cannot be used"):
        load(tmp_path / "throughput.yaml")


@pytest.mark.parametrize(
    ("gpu", "billions", "rate"),
    [("h100", 8.0, 12500), ("h100", 16.0, 6250), ("h100", 1.0, 45000), ("h100", 4.0, 25000), ("a100", 8.0, None)],
)
def test_a_speed_is_scaled_from_the_nearest_size(gpu: str, billions: float, rate: float | None) -> None:
    assert rate_of(SPEEDS, gpu, billions) == rate


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What a run leaves: searches of two and three rounds, four answers, three draws, a funnel, and times."""
    trials = [("a", 1, 40), ("a", 1, 60), ("a", 2, 20), ("a", 2, 30), ("b", 1, 50), ("b", 2, 20), ("b", 3, 10)]
    columns = ("problem_id", "round", "n_tokens")
    table(tmp_path / "recut/main/s1/explore/00000.parquet", "recut_trials", columns, trials)
    account(tmp_path / "recut/main/s1/explore/00000.usage.json", actor=230)
    table(
        tmp_path / "gsi/vanilla/s1/draws/0/plain/00000.parquet", "gsi_draws", ("n_tokens",), [(20,), (30,), (40,)], 30
    )
    account(tmp_path / "gsi/vanilla/s1/draws/0/plain/00000.usage.json", actor=90)
    account(tmp_path / "gsi/brute/s1/graded/0/guided/00000.usage.json", actor=100, teacher=50)
    table(
        tmp_path / "evaluate/base/recut/neutral/t.samples.parquet",
        "samples",
        ("n_tokens",),
        [(30,), (40,), (50,), (60,)],
    )
    account(tmp_path / "evaluate/base/recut/neutral/t.usage.json", actor=180)
    counts = [("problems", "problem", "in", 20), ("pairs.length", "row", "kept", 15), ("pairs.length", "row", "in", 9)]
    keys = ("stage", "unit", "outcome", "n")
    (tmp_path / "recut/main/s1/funnel.json").write_text(json.dumps([dict(zip(keys, c, strict=True)) for c in counts]))
    took = {"recut_explore/main.s1.00000": 23, "gsi_guide/b": 10, "merge_models/a": 4, "merge_models/b": 6}
    for path, seconds in took.items():
        file = tmp_path / f"benchmarks/{path}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"s": seconds}) + "\n")
    return tmp_path


def table(path: Path, name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]], prompt: int = 100) -> None:
    path.parent.mkdir(parents=True)
    content = [{**dict(zip(columns, row, strict=True)), "n_prompt_tokens": prompt} for row in rows]
    pq.write_table(pa.Table.from_pylist(content).replace_schema_metadata({"table": name}), path)


def account(path: Path, **tokens: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    roles = {role: {"engine": "transformers", "completions": 1, "completion_tokens": n} for role, n in tokens.items()}
    path.write_text(json.dumps({"problems": 1, "roles": roles}))


def test_a_run_is_measured_by_its_tables_and_times(results: Path) -> None:
    measured = measure(results)
    assert measured.habits == {
        "": {"answer": 45, "prompt": 100},
        "recut": {"steps": 2.5, "solution": 50, "prompt": 100, "pairs": {"length": 0.75}},
        "gsi": {"solution": 30, "prompt": 30},
    }
    assert measured.seconds == {"recut_explore": 23, "gsi_guide": 10, "merge_models": 5}
    # 230 tokens in 23 s, and those of a teacher count; no time is known of the draws and the answers
    assert measured.rates == {"recut_explore": 10, "gsi_guide": 15}


def test_what_was_measured_replaces_what_was_assumed(results: Path) -> None:
    measured = measure(results)
    recut, gsi, evaluation = (measured.correct(ASSUMED, name) for name in ("recut", "gsi", ""))
    assert (recut.steps, recut.solution, recut.answer, recut.pairs) == (2.5, 50, 45, {"length": 0.75, "sft": 0.8})
    assert (gsi.steps, gsi.solution, gsi.prompt, gsi.pairs) == (5.0, 30, 30, ASSUMED.pairs)
    assert (evaluation.solution, evaluation.answer, evaluation.prompt) == (300, 45, 100)
    assert measure(results / "nothing").correct(ASSUMED, "recut") == ASSUMED


def test_every_rule_that_samples_is_measured_by_its_accounts() -> None:
    accounts = {
        stage.rule: pattern_of(name, stage, stage.usage)
        for name, method in METHODS.items()
        for stage in method.stages.values()
        if stage.usage
    }
    assert set(accounts) == {"recut_explore", "gsi_sample", "gsi_guide"}
    assert accounts["gsi_guide"] == "gsi/{variant}/s{seed}/graded/{t}/guided/{shard}.usage.json"
