"""The program as a job runs it: systems of two methods, repetitions, one without accuracy, and metrics of a method."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bestpath.core.io import read_json
from bestpath.core.tables import read_table, write_table
from bestpath.stages.evaluation.tables import DIFFERENCES, METRICS, SCORES
from tests.conftest import ROOT

SYSTEMS = {  # method, label, kind, seed, share of right answers (None: ungraded), tokens
    "base": ("recut", "base", "base", 0, 0.5, 40),
    "recut-length": ("recut", "length specialist", "specialist", 1, 0.5, 20),
    "gsi-1": ("gsi", "iteration 1", "specialist", 1, 0.75, 40),
    "gsi-1-again": ("gsi", "iteration 1", "specialist", 2, 1.0, 44),
    "critic": ("gsi", "critic", "derived", 0, None, 60),
}
SPENT = {"sampled_tokens": 5000, "teacher_tokens": 0, "trained_rows": 8, "trained_tokens": 64}


def scores(share: float | None, tokens: int) -> list[dict]:
    return [
        {"problem_id": f"p{i}", "sample_id": f"p{i}.{decoding}", "decoding": decoding, "answer": "1", "rule": "boxed",
         "verdict": "ungraded" if share is None else "correct" if i < 8 * share else "wrong",
         "n_tokens": tokens + i, "finish_reason": "stop"}
        for decoding in ("greedy", "sampled")
        for i in range(8)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs."""
    folder = tmp_path_factory.mktemp("table")
    systems = []
    for name, (method, label, kind, seed, share, tokens) in SYSTEMS.items():
        more = {"variant": "main", "iteration": None, "roles": {}, "spent": SPENT}
        systems.append({"id": name, "method": method, "label": label, "kind": kind, "seed": seed, **more})
        write_table(folder / f"{name}.parquet", SCORES, scores(share, tokens))
    judged = {"id": "judge", "method": "gsi", "label": "judge", "kind": "baseline", "seed": 0, **more}
    (folder / "systems.json").write_text(json.dumps({"reference": "base", "systems": [*systems, judged]}))
    for file, system in (("judged", "judge"), ("strange", "jugde")):
        row = {"system": system, "reference": "base", "dataset": "test", "decoding": "greedy", "metric": "win rate"}
        numbers = {"value": 0.6, "ci_low": 0.5, "ci_high": 0.7, "n": 8}
        write_table(folder / f"{file}.parquet", METRICS, [{**row, **numbers}])
    return folder


def make(folder: Path, metrics_of: str) -> subprocess.CompletedProcess[str]:
    options = {
        "systems": ["systems.json"],
        "scores": [f"{name}.parquet" for name in SYSTEMS],
        "entries": [json.dumps([{"id": name, "dataset": "test"} for name in SYSTEMS])],
        "metrics-of": [metrics_of],
        "bootstrap": ["200"],
        "max-tokens": ["160"],
        "seed": ["3"],
        "metrics": ["metrics.parquet"],
        "differences": ["differences.parquet"],
        "tables": ["."],
    }
    parts = [part for name, values in options.items() for part in (f"--{name}", *values)]
    return subprocess.run(
        [sys.executable, ROOT / "scripts/evaluate_table.py", *parts], cwd=folder, capture_output=True, text=True
    )


def test_one_table_holds_the_systems_of_two_methods(folder: Path) -> None:
    made = make(folder, "judged.parquet")
    assert made.returncode == 0, made.stderr
    lines = read_json(folder / "results.json")
    labels = ["base", "length specialist", "iteration 1", "critic"]
    assert [(line["system"], line["decoding"]) for line in lines] == [
        (label, decoding) for decoding in ("greedy", "sampled") for label in labels
    ]
    base, length, again, critic = lines[:4]
    assert (base["accuracy"], base["reference"], base["delta"]) == (0.5, None, None)
    assert length["token_ratio"] == pytest.approx(23.5 / 43.5)
    assert (again["method"], again["seeds"], again["accuracy"], again["delta"]) == ("gsi", 2, 0.875, 0.375)
    assert (again["sampled_tokens"], again["trained_rows"], again["trained_tokens"]) == (5000, 8, 64)
    assert (critic["kind"], critic["accuracy"], critic["tokens"]) == ("derived", None, 63.5)

    differences = read_table(folder / "differences.parquet", DIFFERENCES)
    pairs = {(row["system"], row["reference"]) for row in differences}
    assert len(pairs) == 6
    assert ("iteration 1", "length specialist") in pairs
    assert len(differences) == 2 * (3 + 6)  # the critic has no accuracy

    metrics = read_table(folder / "metrics.parquet", METRICS)
    assert [(row["system"], row["value"]) for row in metrics if row["metric"] == "win rate"] == [("judge", 0.6)]
    text = (folder / "results.md").read_text()
    assert text.startswith("### test, greedy\n\n| method")
    assert "iteration 1, 2 seeds" in text and "0.6 [0.5, 0.7]" in text


def test_a_metric_of_a_system_that_is_not_declared_is_one_sentence(folder: Path) -> None:
    made = make(folder, "strange.parquet")
    assert made.returncode != 0
    assert "strange.parquet holds the metric win rate of 'jugde', which is no system" in made.stderr
    assert "Traceback" not in made.stderr
