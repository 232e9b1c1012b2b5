"""What a user can do wrong: one clear sentence, before expensive work, exit code 1, nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bestpath.core.models import write_manifest
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The project without any results."""
    return Project.copy_to(tmp_path / "project")


@pytest.fixture
def own_model(finished: Project, project: Project) -> Project:
    """A project whose configuration names a model folder and data of its own."""
    shutil.copytree(finished.results / "models/base", project.folder / "mine")
    (project.folder / "data.jsonl").write_text("\n".join(map(json.dumps, GOOD)))
    return project.overlay(
        """
models: {base: {source: mine, dtype: float32, context: 512}}
problems: {train: {path: data.jsonl, n: 3}}
evaluation: {sets: {test: {path: data.jsonl}}}
"""
    )


OWN_DATA = """
problems: {{train: {{path: data.{suffix}, n: 3, kind: number, fields: {fields}}}}}
"""
PLAIN = "{solution: null, level: null, id: null}"
WITH_ID = "{solution: null, level: null, id: id}"
GOOD = [{"id": str(i), "question": f"How much is {i} + 1?", "answer": str(i + 1)} for i in range(3)]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            "methods: {recut: {explor: {}}}",
            ["unknown setting 'methods.recut.explor'", "overlay.yaml", "did you mean 'explore'"],
        ),
        ("methods: {recut: {train: {beta: high}}}", ["methods.recut.train.beta", "'high'", "overlay.yaml"]),
        ("methods: {recut: {train: {learning_rates: {length: [5e-7]}}}}", ["'5e-7'", "write 5.0e-7"]),
        ("methods: {recut: {explore: {rounds: 0}}}", ["methods.recut.explore.rounds", "is 0"]),
        ("methods: {recut: {explore: {temperature: -1.0}}}", ["methods.recut.explore.temperature", "-1.0"]),
        ("evaluation: {sets: {test: {path: nothing.jsonl}}}", ["nothing.jsonl", "not there"]),
        ("problems: {train: {path: Snakefile.jsonl}}", ["Snakefile.jsonl"]),
        ("methods: {recut: {base_prompts: [neutrl]}}", ["no prompt template", "neutrl.jinja"]),
        ("compute: {gpus: 2}", ["2 GPUs a job", "may use 1", "--resources gpu=2"]),
    ],
)
def test_a_wrong_configuration_stops_before_the_first_job(project: Project, overlay: str, said: list[str]) -> None:
    done = project.overlay(overlay).snakemake()
    assert_told(done.returncode, done.stderr, said)
    assert not (project.folder / "results").exists()


def test_a_prompt_with_an_unknown_field_stops_before_the_first_job(project: Project) -> None:
    prompt = project.folder / "config/prompts/recut/short.jinja"
    prompt.write_text(prompt.read_text() + "{{ problm }}")
    done = project.snakemake()
    assert_told(done.returncode, done.stderr, ["short.jinja", "unknown field 'problm'", "did you mean 'problem'"])


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"", PLAIN, ["data.jsonl", "holds no rows"]),
        ([{"id": "1", "problem": "q", "answer": "1"}], PLAIN, ["no field 'question'", "fields.question"]),
        ([{**row, "id": "same"} for row in GOOD], WITH_ID, ["the id 'same' twice"]),
        ([{**row, "answer": "many"} for row in GOOD], WITH_ID, ["3 of 3 rows", "bad_gold", "many"]),
        ('{"question": "é", "answer": "1"}'.encode("latin-1"), PLAIN, ["data.jsonl", "not UTF-8", "iconv"]),
    ],
)
def test_bad_data_is_one_sentence(project: Project, content: bytes | list, fields: str, said: list[str]) -> None:
    text = content if isinstance(content, bytes) else "\n".join(map(json.dumps, content)).encode()
    (project.folder / "data.jsonl").write_bytes(text)
    own = project.overlay(OWN_DATA.format(suffix="jsonl", fields=fields))
    done = own.snakemake("results/tiny/problems/train.parquet")
    assert_told(done.returncode, done.stderr, said)


def test_a_results_folder_that_is_not_writable_stops_the_run(project: Project) -> None:
    results = project.folder / "results"
    results.symlink_to("/proc")  # not writable, not even for root
    done = project.snakemake()
    assert_told(done.returncode, done.stderr, ["results", "writable"])


def test_too_little_disk_for_the_planned_models_stops_the_run(own_model: Project) -> None:
    (own_model.folder / "mine/manifest.json").unlink()  # a user's folder has none
    with (own_model.folder / "mine/model.safetensors").open("ab") as stream:
        stream.truncate(4 << 40)  # sparse: four tebibytes that take no room
    done = own_model.snakemake()
    assert_told(done.returncode, done.stderr, ["GB of disk", "free"])


@pytest.mark.parametrize(
    ("removed", "said"),
    [
        ("tokenizer.json", "has no tokenizer"),
        ("chat_template.jinja", "no chat template"),
        ("config.json", "config.json"),
    ],
)
def test_an_incomplete_model_folder_is_refused(own_model: Project, removed: str, said: str) -> None:
    (own_model.folder / "mine" / removed).unlink()
    done = own_model.snakemake()
    assert_told(done.returncode, done.stderr, ["mine", said])


def test_a_tokenizer_of_another_model_is_refused(own_model: Project) -> None:
    add_token(own_model.folder / "mine", 1000)
    done = own_model.snakemake()
    assert_told(done.returncode, done.stderr, ["tokenizer of mine", "'<other>'", "vocabulary of"])


def test_a_specialist_with_another_vocabulary_than_the_base_is_not_merged(clone: Project) -> None:
    add_token(clone.results / "models/recut/main/s1/length", 511)
    merged = "results/tiny/models/recut/main/s1/dare_ties/manifest.json"
    done = clone.snakemake(merged)
    assert_told(done.returncode, done.stderr, ["models/recut/main/s1/length differ in 1 tokens", "'<other>'"])


def add_token(folder: Path, token_id: int) -> None:
    """Give the tokenizer of a model folder one more token (the model has room for 512)."""
    content = json.loads((folder / "tokenizer.json").read_text())
    content["added_tokens"].append({**content["added_tokens"][0], "id": token_id, "content": "<other>"})
    (folder / "tokenizer.json").write_text(json.dumps(content))
    write_manifest(folder)


def test_too_few_pairs_stop_with_the_funnel(clone: Project) -> None:
    done = clone.overlay("methods: {recut: {pairs: {min_pairs: 1000}}}").snakemake()
    said = ["fewer than methods.recut.pairs.min_pairs = 1000", "36 problems", "solved"]
    assert_told(done.returncode, done.stderr, said)
    assert (clone.results / "recut/main/s1/candidates.parquet").exists()


def assert_told(returncode: int, printed: str, said: list[str]) -> None:
    """Exit code 1, one sentence with these words, and no traceback."""
    assert returncode == 1, printed
    sentences = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert sentences, printed
    for part in said:
        assert part in sentences[0], sentences[0]
    assert "Traceback" not in printed
