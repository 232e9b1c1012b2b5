"""ReCUT's chapter, told from small files that a manifest names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from bestpath.core.io import write_json, write_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.tables import write_table
from bestpath.methods.recut.report.chapter import chapter
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL, TRIALS
from bestpath.stages.evaluation.tables import SAMPLES, SCORES
from bestpath.stages.merging.report import MERGE_REPORT
from bestpath.stages.report.blocks import Bullets, Explorer, Facts, Table
from bestpath.stages.report.manifest import Entry, Files
from tests.methods.recut.sums import world
from tests.stages.report.example import system

RESULTS = [
    system("base", "base", "recut", accuracy=0.893, tokens=76),
    system("base, short prompt", "prompt", "recut", accuracy=0.6, tokens=50),
    system("length specialist", "specialist", "recut", accuracy=0.85, tokens=40),
    system("accuracy specialist", "specialist", "recut", accuracy=0.95, tokens=70),
    system("merged: mean", "merged", "recut", accuracy=0.9, tokens=50),
    system("merged: ties", "merged", "recut", accuracy=0.8, tokens=60),
    system("SFT (sft_shortest)", "baseline", "recut", accuracy=0.8, tokens=45),
    system("other method", "specialist", "other"),
]
ENDS = {"mean": "merged: mean", "ties": "merged: ties"}
SPECIALISTS = ("length", "accuracy")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recut")
    return Files(tuple(_entries(folder)), {
        "variants": [
            {"name": "main", "overlay": {}, "ends_with": ENDS},
            {"name": "sft_shortest", "overlay": {"specialists": "sft"}, "ends_with": {"": "SFT (sft_shortest)"}},
        ],
        "settings": {"explore.rounds": "8"},
    })  # fmt: skip


def _entries(folder: Path):
    problems, trials, candidates, optimal = world(n=20)
    half = len(trials) // 2

    def table(name, kind, rows, **labels):
        path = folder / f"{name}{''.join(f'.{value}' for value in labels.values())}.parquet"
        write_table(path, kind, [{**dict.fromkeys(kind.columns), **row} for row in rows])
        return Entry(name, path, labels)

    yield table("problems", PROBLEMS, problems, dataset="train")
    yield table("trials", TRIALS, trials[:half], variant="main", shard=0)
    yield table("trials", TRIALS, trials[half:], variant="main", shard=1)
    yield table("candidates", CANDIDATES, candidates)
    yield table("optimal", OPTIMAL, optimal)
    dev = [row["problem_id"] for row in problems if row["split"] == "dev"]
    for name in ("base", "merged: mean", "merged: ties"):
        yield table("dev_samples", SAMPLES, [_sample(problem) for problem in dev], system=name)
        yield table("dev_scores", SCORES, [_score(problem) for problem in dev], system=name)
    for variant in ("main", "sft_shortest"):
        write_json(folder / f"funnel.{variant}.json", _funnel())
        yield Entry("funnel", folder / f"funnel.{variant}.json", {"variant": variant})
    for merge in ("ties", "mean"):
        entry = table("merge", MERGE_REPORT, _merge(), merge=merge)
        yield Entry("merge", entry.path, {"merge": merge, "settings": {"method": merge}})
    dev_readings = {name: {"accuracy": 0.9, "mean_tokens": 50.0} for name in ENDS}
    write_json(folder / "merge.json", {"chosen": "mean", "merges": dev_readings})
    yield Entry("merge_choice", folder / "merge.json", {"variant": "main"})
    for name in SPECIALISTS:
        called = {"system": f"{name} specialist"}
        loss = {"step": 1, "name": "train/loss", "value": 0.6}
        write_jsonl(folder / f"{name}.metrics.jsonl", [loss, *_warning(name)])
        yield Entry("metrics", folder / f"{name}.metrics.jsonl", {**called, "learning_rate": 1e-5, "seed": 1})
        write_jsonl(folder / f"{name}.train.jsonl", [{"chosen_tokens": 20, "rejected_tokens": 40}])
        yield Entry("training_set", folder / f"{name}.train.jsonl", called)
        write_json(folder / f"{name}.choice.json", {"learning_rate": 1e-5, "criterion": name})
        yield Entry("choice", folder / f"{name}.choice.json", called)
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    yield Entry("base", folder / "manifest.json")


def _warning(name):
    return [{"step": 1, "name": "warning/length_unchanged", "value": 1.0}] if name == "accuracy" else []


def _sample(problem):
    return {
        "problem_id": problem, "sample_id": f"{problem}.0", "decoding": "greedy", "role": "actor", "prompt_sha": "",
        "seed": 1, "text": "so \\boxed{1}", "output": "so \\boxed{1}", "calls": "{}",
        "n_tokens": 9, "n_prompt_tokens": 4, "finish_reason": "stop",
    }  # fmt: skip


def _score(problem):
    return {
        "problem_id": problem, "sample_id": f"{problem}.0", "decoding": "greedy", "answer": "1", "verdict": "wrong",
        "rule": "boxed", "n_tokens": 9, "finish_reason": "stop",
    }  # fmt: skip


def _funnel():
    def row(stage, unit, outcome, n):
        return {"stage": stage, "unit": unit, "outcome": outcome, "reason": "", "n": n}

    return [
        row("problems", "problem", "in", 20),
        row("trials", "trial", "in", 90),
        row("optimal", "problem", "kept", 9),
    ]


def _merge():
    total = {"norm/length": 1.0, "norm/accuracy": 1.0, "norm/merged": 1.0, "cosine/length/accuracy": 1.0,
             "sign_agreement/length/accuracy": 0.5, "changed": 0.9}  # fmt: skip
    return [{"tensor": "*", "name": name, "value": value} for name, value in total.items()]


@pytest.fixture(scope="module")
def told(files):
    return chapter(files, RESULTS, "base")


def blocks(told, title, kind):
    (section,) = [section for section in told.sections if section.title == title]
    return [block for block in section.blocks if isinstance(block, kind)]


def test_the_chapter_has_the_whole_story(told):
    assert [section.title for section in told.sections] == [
        "Variants", "From problems to pairs", "Exploration", "Training", "Merging", "Path explorer",
        "Doubtful gold answers", "Settings",
    ]  # fmt: skip
    assert blocks(told, "Settings", Facts)[0].pairs == (("explore.rounds", "8"),)


def test_the_headline_is_on_the_system_that_the_first_variant_ends_with(told):
    assert told.main == "merged: mean"
    assert told.headline[0].startswith("On 300 problems of test, under greedy decoding, merged: mean writes 34 % fewer")
    assert told.shown == {row.system for row in RESULTS[:6]}
    assert told.lengths == {"merged: mean", "length specialist", "accuracy specialist"}
    assert told.listed == {"merged: mean", "SFT (sft_shortest)"}


def test_warnings_of_training_are_told(told):
    assert told.warnings == ("accuracy specialist, 1e-05: the mean length on the dev problems moved by less than 2 %.",)


def test_every_number_stands_beside_its_name(told):
    (variants,) = blocks(told, "Variants", Table)
    assert [(line.values[0], line.values[5], line.note) for line in variants.lines] == [
        ("main", "merged: mean", "nothing"), ("sft_shortest", "SFT (sft_shortest)", "specialists sft"),
    ]  # fmt: skip
    (merges,) = blocks(told, "Merging", Table)
    assert [(line.values[:2], line.chosen) for line in merges.lines] == [
        (("ties", "method ties"), False), (("mean", "method mean"), True),
    ]  # fmt: skip
    (pays,) = blocks(told, "Merging", Bullets)
    assert any("merged: ties loses to length specialist" in sentence for sentence in pays.items)
    assert not any("other method" in sentence for sentence in pays.items)


def test_the_explorer_shows_problems_that_the_dev_split_s_systems_have_answered(told):
    (explorer,) = blocks(told, "Path explorer", Explorer)
    assert len(explorer.paths) == 4  # every fifth problem is one of the dev split
    for path in explorer.paths:
        assert [answer.system for answer in path.answers if not answer.best] == ["base", "merged: mean"]
    tags = {tag for path in explorer.paths for tag in path.tags}
    assert {tag for tag, _ in explorer.filters} == tags
