from __future__ import annotations

from bestpath.core.io import write_jsonl
from bestpath.core.tables import Table, write_table
from bestpath.stages.report.cost import cost_of, cost_table
from bestpath.stages.report.manifest import Entry

DRAWN = Table("drawn", {"id": "string", "n_tokens": "int64", "n_prompt_tokens": "int64"}, ("id",))


def test_cost_sums_jobs_and_completions(tmp_path):
    write_jsonl(tmp_path / "times/draw/main/00000.jsonl", [{"s": 1.5}])
    write_jsonl(tmp_path / "times/draw/main/00001.jsonl", [{"s": 2.5}])
    write_jsonl(tmp_path / "times/merge/all.jsonl", [{"s": 1.0}])
    rows = [{"id": "a", "n_tokens": 3, "n_prompt_tokens": 10}, {"id": "b", "n_tokens": 4, "n_prompt_tokens": 20}]
    write_table(tmp_path / "one.parquet", DRAWN, rows, {"program": "draw"})
    write_table(tmp_path / "none.parquet", DRAWN, [], {"program": "draw"})
    entries = [Entry("draws", tmp_path / f"{name}.parquet", {"draws": True}) for name in ("one", "none")]
    draw, merge = cost_of(tmp_path / "times", [*entries, Entry("other", tmp_path / "x")])
    assert (draw.rule, draw.seconds, draw.generations, draw.generated, draw.prompt) == ("draw", 4, 2, 7, 30)
    assert (merge.seconds, merge.generated) == (1, None)
    assert cost_table([draw, merge]).total == ("together", 5, 2, 7, 30)
