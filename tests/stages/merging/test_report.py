from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from bestpath.core.tables import write_table
from bestpath.stages.merging.merge import merge
from bestpath.stages.merging.report import ALL, MERGE_REPORT, merge_report
from tests.stages.merging.oracle import method_of


def folder_of(path, **tensors):
    path.mkdir(parents=True)
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    return path


def test_the_numbers_of_a_small_example(tmp_path):
    a, b = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0])
    base = folder_of(tmp_path / "base", a=a, b=b)
    length = folder_of(tmp_path / "l", a=a + torch.tensor([3.0, 0.0, 4.0, 0.0]), b=b)
    accuracy = folder_of(tmp_path / "a", a=a + torch.tensor([1.0, 1.0, -1.0, 0.0]), b=b + 1)
    merged = folder_of(tmp_path / "m", a=a + torch.tensor([2.0, 0.0, 0.0, 0.0]), b=b)
    report = merge_report(base, {"length": length, "accuracy": accuracy}, merged)
    numbers = {(row["tensor"], row["name"]): row["value"] for row in report.rows}
    assert numbers["a", "norm/length"] == 5.0
    assert numbers["a", "norm/accuracy"] == pytest.approx(3**0.5)
    assert numbers["a", "cosine/length/accuracy"] == pytest.approx(-1 / (5 * 3**0.5))
    assert numbers["a", "sign_agreement/length/accuracy"] == 0.5
    assert numbers["a", "changed"] == 0.25
    assert numbers["b", "cosine/length/accuracy"] == 0.0
    assert numbers["b", "sign_agreement/length/accuracy"] == 0.0
    assert numbers[ALL, "weights"] == 5
    assert numbers[ALL, "norm/accuracy"] == 2.0
    assert numbers[ALL, "changed"] == pytest.approx(0.2)
    assert report.total["cosine/length/merged"] == pytest.approx(3 / 5)
    assert not report.warnings
    assert write_table(tmp_path / "report.parquet", MERGE_REPORT, report.rows) == len(report.rows)


@pytest.mark.parametrize(("scale", "survives", "warned"), [(1e-6, 0.01, True), (1e-5, 0.12, True), (1e-4, 0.68, False)])
def test_bfloat16_swallows_small_deltas(scale, survives, warned, tmp_path):
    generator = torch.Generator().manual_seed(0)
    weights = (0.02 * torch.randn(100_000, generator=generator)).to(torch.bfloat16)
    tuned = weights.float() + scale * torch.randn(100_000, generator=generator)
    base, model = folder_of(tmp_path / "base", w=weights), folder_of(tmp_path / "model", w=tuned)
    merged = folder_of(tmp_path / "merged", w=tuned.to(torch.bfloat16))
    report = merge_report(base, {"model": model}, merged)
    assert report.total["changed"] == pytest.approx(survives, abs=0.02)
    assert bool(report.warnings) == warned
    in_float32 = merge_report(base, {"model": model}, model)
    assert in_float32.total["changed"] > 0.99


def test_pieces_of_a_tensor_add_up(tmp_path, monkeypatch):
    from bestpath.core import models

    base, model = (folder_of(tmp_path / name, w=torch.randn(7, 11)) for name in ("base", "model"))
    whole = merge_report(base, {"model": model}, model)
    chunks = models.chunks
    monkeypatch.setattr("bestpath.stages.merging.report.chunks", lambda tensors: chunks(tensors, 10))
    pieces = merge_report(base, {"model": model}, model)
    assert pieces.total == pytest.approx(whole.total)


def test_the_report_of_a_real_merge(base, twins, tmp_path):
    merge(method_of("task_arithmetic", weight=1.0, normalize=False), base, twins, tmp_path / "out", seed=1)
    total = merge_report(base, dict(zip(("length", "accuracy"), twins, strict=True)), tmp_path / "out").total
    assert total["cosine/length/accuracy"] == pytest.approx(0, abs=0.03)
    assert total["sign_agreement/length/accuracy"] == pytest.approx(0.5, abs=0.02)
    assert total["norm/merged"] ** 2 == pytest.approx(total["norm/length"] ** 2 + total["norm/accuracy"] ** 2, rel=0.03)
    assert total["cosine/length/merged"] == pytest.approx(0.5**0.5, abs=0.02)
