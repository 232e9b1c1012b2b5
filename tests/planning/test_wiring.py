"""What the rules are told: inputs, parameters, roles and resources, from the declarations."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from bestpath.catalog import Experiment
from bestpath.core.systems import System
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring, as_argument

BOTH = {"methods": {"recut": {}, "gsi": {"iterations": 2, "run": ["vanilla", "interactive"]}}}


class Wildcards(SimpleNamespace):
    def keys(self) -> list[str]:
        return list(vars(self))


def wiring(**config: Any) -> Wiring:
    return Wiring(Experiment(load({**BOTH, **config})))


def test_settings_are_arguments_written_one_way() -> None:
    assert as_argument({"b": 1, "a": [1, 2]}) == '{"a": [1, 2], "b": 1}'
    assert as_argument(["a", "b"]) == ["a", "b"]
    assert as_argument([{"a": 1}]) == '[{"a": 1}]'
    assert as_argument("text") == "text"


def test_the_inputs_of_a_rule_are_the_files_of_those_that_own_them() -> None:
    gsi = wiring().of("gsi")
    job = Wildcards(variant="interactive", seed="1", t="0", shard="00001")
    [plain] = gsi.needs("guide", "plain")(job)["plain"]
    assert plain == "results/embedded/gsi/vanilla/s1/graded/0/plain/00001.parquet"
    every = gsi.needs("select")(Wildcards(variant="interactive", seed="1", t="1"))
    assert [path.split("/")[-1] for path in every["guided"]] == ["00000.parquet", "00001.parquet"]
    assert every["paid"] == every["further"] == []


def test_the_parameters_of_a_rule_are_the_settings_of_its_stage() -> None:
    recut = wiring().of("recut")
    pairs = json.loads(recut.settings("pairs", "rules")(Wildcards(variant="main", seed="1", set="length")))
    assert pairs["length_rejected"] == "longest" and "accuracy_rejected" not in pairs
    assert recut.makes("pairs", "train") == {"train": "<results>/recut/{variant}/s{seed}/pairs/{set}.train.jsonl"}


TEACHER = {"url": "http://localhost:8000/v1", "model": "large", "takes_top_k": True}


def test_roles_are_played_by_entries_and_by_what_the_method_trains() -> None:
    elsewhere = wiring(models={"base": {"source": "embedded"}, "teacher": {"endpoint": TEACHER}})
    guides = elsewhere.of("gsi").players("guide")
    job = Wildcards(variant="interactive", seed="1", t="0", shard="00000")
    model = "results/embedded/models/gsi/vanilla/s1/t0/manifest.json"
    assert guides.models(job) == [f"actor={model}", "teacher=results/embedded/models/base/manifest.json"]
    engines = json.loads(guides.engines(job))
    assert (engines["actor"]["engine"], engines["teacher"]["engine"]) == ("transformers", "endpoint")
    assert json.loads(guides.limits(job, None)).keys() == {"teacher"}
    modules = {line.split()[0] for line in guides.code("gsi_guide")(job)}
    assert {f"bestpath.stages.generation.engines.{name}" for name in ("transformers", "endpoint")} <= modules


def test_lessons_that_the_base_is_not_taught_are_none_of_its_code() -> None:
    recut, gsi = (f"bestpath.methods.{name}.lessons" for name in ("recut", "gsi"))
    assert wiring(embedded={"lessons": ["recut"]}).lesson_modules() == [recut]
    assert wiring(embedded={"lessons": ["gsi", "recut"]}).lesson_modules() == [recut, gsi]


def test_every_server_has_its_own_turn() -> None:
    servers = {"base": {"source": "embedded", "endpoint": TEACHER}, "teacher": {"endpoint": TEACHER}}
    both = wiring(models=servers)
    guide = both.of("gsi").players("guide").resources(60)
    explore = both.of("recut").players("explore").resources(60)
    job = Wildcards(variant="interactive", seed="1", t="0", shard="00000")
    assert [guide[f"server_{name}"](job) for name in ("base", "teacher")] == [0, 1]  # what is trained is on no server
    main = Wildcards(variant="main", seed="1", shard="00000")
    assert [explore[f"server_{name}"](main) for name in ("base", "teacher")] == [1, 0]


def test_a_model_that_scores_is_never_behind_an_endpoint() -> None:
    readers = wiring(models={"base": {"source": "embedded", "endpoint": TEACHER}}).of("gsi").players("perplexity")
    job = Wildcards(variant="vanilla", seed="1", t="0")
    assert json.loads(readers.engines(job))["base"]["engine"] == "transformers"
    assert json.loads(readers.limits(job, None)) == {}


def test_a_job_asks_for_the_most_that_its_models_ask_for() -> None:
    entries = {"base": {"source": "embedded"}, "teacher": {"source": "embedded-teacher", "gpus": 4, "mem_mb": 9000}}
    guide = wiring(models=entries, compute={"gpus": 1}).of("gsi").players("guide").resources(60)
    taught = Wildcards(variant="interactive", seed="1", t="0", shard="00000")
    assert (guide["gpu"](taught), guide["mem_mb"](taught, 2)) == (4, 18000)


def test_a_method_may_train_on_a_part_of_the_data_sets() -> None:
    others = {"others": {"math": {"path": "some/math", "n": 900}}}
    part = wiring(problems=others, methods={"recut": {"train_on": ["train"]}, "gsi": {"iterations": 2}})
    assert part.problems("recut") == "results/embedded/recut/problems.parquet"
    assert part.problems("gsi") == "results/embedded/problems/train.parquet"
    assert (len(part.shards("recut")), len(part.shards("gsi"))) == (2, 5)


def test_sampled_tokens_are_those_of_all_jobs_upstream_and_a_merge_counts_its_parents() -> None:
    declared = {system["id"]: system for system in wiring().declared_systems()["systems"]}
    merged = declared["recut/main/s1/dare_ties"]["upstream"]
    assert [path.split("/")[-4:-1] for path in merged["usage"]] == [["main", "s1", "explore"]] * 2
    assert [path.split("/")[-2] for path in merged["choices"]] == ["length", "accuracy"]
    taught = declared["gsi/interactive/s1/t1"]["upstream"]
    assert sorted({"/".join(path.split("/")[-3:-1]) for path in taught["usage"]}) == ["0/guided", "0/plain"]
    assert taught["teachers"] == ["teacher"]
    assert declared["base/recut/neutral"]["upstream"]["usage"] == []


def test_an_answerer_of_a_method_s_own_is_code_of_the_answers() -> None:
    both = wiring()
    module = "bestpath.methods.gsi.tables"  # any module stands for one that answers
    own = System("gsi/own", "gsi", "own", "specialist", roles={"actor": "base"}, answerer=f"{module}:answer")
    both.experiment.systems[own.id] = own
    answering = both.answering()
    code = answering.code("evaluate_sample", both.answerer)
    assert module in {line.split()[0] for line in code(Wildcards(system=own.id, set="test"))}
    assert module not in {line.split()[0] for line in code(Wildcards(system="base/gsi/plain", set="test"))}


@pytest.mark.parametrize(("zero", "file"), [(0, []), (2, "config/deepspeed/zero2.json")])
def test_training_under_zero_names_its_configuration(zero: int, file: object) -> None:
    part = wiring(methods={"recut": {"train": {"zero": zero}}})
    assert part.deepspeed(Wildcards(method="recut", variant="main", seed="1", specialist="length")) == file
