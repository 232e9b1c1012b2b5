from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bestpath.core.errors import UserError
from bestpath.planning.throughput import ASSUMPTIONS, Habits, Speed, load, measure, rate_of
from tests.conftest import ROOT

SPEEDS = [Speed(gpu="h100", billions=8.0, rate=12500.0), Speed(gpu="h100", billions=0.5, rate=90000.0)]


def test_the_assumptions_that_come_with_the_project_can_be_read() -> None:
    throughput = load(ROOT / ASSUMPTIONS)
    assert throughput.gpus == ["h100", "a100"]
    assert {"default", "embedded"} <= throughput.habits.keys()


def test_an_entry_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    text = (ROOT / ASSUMPTIONS).read_text().replace("merging: 150", "merging: fast")
    (tmp_path / "throughput.yaml").write_text(text)
    with pytest.raises(UserError, match=r"throughput\.yaml: the entry merging cannot be used"):
        load(tmp_path / "throughput.yaml")


@pytest.mark.parametrize(
    ("gpu", "billions", "rate"),
    [("h100", 8.0, 12500), ("h100", 16.0, 6250), ("h100", 1.0, 45000), ("h100", 4.0, 25000), ("a100", 8.0, None)],
)
def test_a_speed_is_scaled_from_the_nearest_size(gpu: str, billions: float, rate: float | None) -> None:
    assert rate_of(SPEEDS, gpu, billions) == rate


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What a run leaves: two searches of two and three rounds, four answers, a funnel, and the time it all took."""
    trials = [("a", 1, 40), ("a", 1, 60), ("a", 2, 20), ("a", 2, 30), ("b", 1, 50), ("b", 2, 20), ("b", 3, 10)]
    table(tmp_path / "recut/main/s1/explore/00000.parquet", ("problem_id", "round", "n_tokens"), trials)
    table(tmp_path / "evaluate/base/neutral/t.samples.parquet", ("n_tokens",), [(30,), (40,), (50,), (60,)])
    counts = [("problems", "problem", "in", 20), ("pairs.length", "row", "kept", 15), ("pairs.length", "row", "in", 9)]
    keys = ("stage", "unit", "outcome", "n")
    (tmp_path / "recut/main/s1/funnel.json").write_text(json.dumps([dict(zip(keys, c, strict=True)) for c in counts]))
    for path, seconds in [("recut_explore/main.s1.00000", 23), ("merge_models/a", 4), ("merge_models/b", 6)]:
        file = tmp_path / f"benchmarks/{path}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"s": seconds}) + "\n")
    return tmp_path


def table(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    path.parent.mkdir(parents=True)
    content = [{**dict(zip(columns, row, strict=True)), "n_prompt_tokens": 100} for row in rows]
    pq.write_table(pa.Table.from_pylist(content), path)


def test_a_run_is_measured_by_its_tables_and_times(results: Path) -> None:
    measured = measure(results)
    assert measured.habits == {"steps": 2.5, "solution": 50, "answer": 45, "prompt": 100, "pairs": {"length": 0.75}}
    assert measured.seconds == {"recut_explore": 23, "merge_models": 5}
    assert measured.rates == {"recut_explore": 10}  # 230 tokens in 23 s; no time is known of the answers


def test_what_was_measured_replaces_what_was_assumed(results: Path) -> None:
    assumed = Habits(steps=5.0, solution=300.0, answer=700.0, prompt=310.0, pairs={"length": 0.7, "sft": 0.8})
    corrected = measure(results).correct(assumed)
    assert (corrected.steps, corrected.pairs) == (2.5, {"length": 0.75, "sft": 0.8})
    assert measure(results / "nothing").correct(assumed) == assumed
