"""GSI as a workflow: a whole run of all strategies, what a change re-runs, and what a larger budget adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bestpath.core.io import read_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.prompts import load
from bestpath.core.tables import read_table
from bestpath.methods.gsi.tables import AUDIT, GRADED, QUESTIONS, SAMPLED, TAIL
from tests.workflow.conftest import TINY, Project

pytestmark = pytest.mark.workflow


@pytest.fixture
def done(finished: Project) -> Project:
    """The finished project."""
    return finished


@pytest.fixture
def changed(clone: Project):  # type: ignore[no-untyped-def]
    """The clone of the finished project with settings laid over it."""
    return clone.overlay


def folder(project: Project, variant: str) -> Path:
    return project.folder / "results/tiny/gsi" / variant / "s1"


def test_every_strategy_runs_and_every_draw_is_accounted_for(done: Project) -> None:
    for variant in ("interactive", "state_reset"):
        guided = [
            row for path in sorted((folder(done, variant) / "graded/0/guided").glob("*.parquet"))
            for row in read_table(path, GRADED)
        ]  # fmt: skip
        assert guided and all(1 <= row["round"] <= 3 for row in guided)
        assert variant in {row["strategy"] for row in guided}
        sampled = read_table(folder(done, variant) / "sampled/1.parquet", SAMPLED)
        assert {row["draw_id"] for row in guided} <= {row["draw_id"] for row in sampled}
        rows = read_jsonl(folder(done, variant) / "sft/1.train.jsonl")
        assert len(rows) == sum(row["kept"] for row in sampled)
        questions = read_table(folder(done, variant) / "questions/1.parquet", QUESTIONS)
        assert sum(row["n_rows"] for row in questions) == len(rows)
        assert sum(row["n_plain"] + row["n_guided"] for row in questions) == len(sampled)


def test_what_is_trained_on_shows_the_plain_prompt_alone(done: Project) -> None:
    plain = load(done.folder / "config/prompts/gsi/plain.jinja", ["problem"])
    problems = read_table(done.folder / "results/tiny/problems/train.parquet", PROBLEMS)
    prompts = {problem["problem_id"]: plain.render(problem=problem["question"]) for problem in problems}
    for variant in ("interactive", "state_reset"):
        rows = read_jsonl(folder(done, variant) / "sft/1.train.jsonl")
        assert any(row["phase"] == "guided" for row in rows)
        for row in rows:
            assert [turn["content"] for turn in row["prompt"]] == [prompts[row["problem_id"]]]


def test_the_variants_share_iteration_0_and_its_plain_draws(done: Project) -> None:
    drawn = sorted(path.parts[-5] for path in (done.folder / "results/tiny/gsi").glob("*/s1/draws/0/plain"))
    assert drawn == ["vanilla"]
    models = {path.parts[-4] for path in (done.folder / "results/tiny/models/gsi").glob("*/s1/t0/manifest.json")}
    assert models == {"vanilla"}


def test_brute_force_at_equal_price_spends_no_more_than_state_reset(done: Project) -> None:
    tokens = {
        variant: sum(
            row["n_tokens"]
            for row in read_table(folder(done, variant) / "sampled/1.parquet", SAMPLED)
            if row["phase"] == "guided"
        )
        for variant in ("brute_equal", "state_reset")
    }
    assert 0 < tokens["brute_equal"] <= tokens["state_reset"]


def test_fill_makes_up_for_every_missing_answer(done: Project) -> None:
    for row in read_table(folder(done, "fill") / "questions/1.parquet", QUESTIONS):
        assert row["n_rows"] >= max(1, 2 - row["n_correct"])


def test_the_tail_and_the_audit_are_tables(done: Project) -> None:
    tail = {(row["metric"], row["group"]) for row in read_table(folder(done, "vanilla") / "tail/1.parquet", TAIL)}
    assert {("row_share", "3"), ("coverage", "3"), ("perplexity_median", ""), ("total_variation", "")} <= tail
    audit = read_table(folder(done, "vanilla") / "audit.parquet", AUDIT)
    plain = [
        row
        for path in (folder(done, "vanilla") / "graded/0/plain").glob("*.parquet")
        for row in read_table(path, GRADED)
    ]
    assert len(audit) == len(plain)


def test_the_report_tells_the_story(done: Project) -> None:
    page = (done.folder / "results/tiny/report/report.html").read_text()
    for part in ("The tail", "Accuracy over the iterations", "What help brings", "The verifier, audited", "control"):
        assert part in page


def test_nothing_is_stale_after_a_run(changed) -> None:  # type: ignore[no-untyped-def]
    assert changed("{}").stale() == {}


def test_one_more_iteration_only_adds_work(changed) -> None:  # type: ignore[no-untyped-def]
    stale = changed("methods: {gsi: {iterations: 3}}").stale()
    assert stale["train_specialist"] == stale["gsi_select"] == stale["gsi_tail"] == 5
    assert stale["gsi_sample"] == stale["gsi_grade"] == 10  # two shards of the models of iteration 1
    assert not {"gsi_references", "embedded_base", "problems_train"} & stale.keys()


def test_a_larger_budget_draws_only_what_is_missing(changed) -> None:  # type: ignore[no-untyped-def]
    project = changed("methods: {gsi: {run: [vanilla, state_reset], guidance: {rounds: 5}, sample: {n_init: 4}}}")
    before = {
        row["draw_id"]: row["text"]
        for part in ("draws/0/plain", "graded/0/guided")
        for variant in ("vanilla", "state_reset")
        for path in (folder(project, variant) / part).glob("*.parquet")
        for row in _rows(path)
    }
    stale = project.stale()
    assert "train_specialist" in stale and "embedded_base" not in stale
    project.run("results/tiny/gsi/state_reset/s1/graded/0/guided/00000.parquet")
    plain = [row for path in (folder(project, "vanilla") / "draws/0/plain").glob("*.parquet") for row in _rows(path)]
    assert {row["index"] for row in plain} == {0, 1, 2, 3}
    assert all(before[row["draw_id"]] == row["text"] for row in plain if row["draw_id"] in before)
    usage = json.loads((folder(project, "vanilla") / "draws/0/plain/00000.usage.json").read_text())
    questions = {row["problem_id"] for row in _rows(folder(project, "vanilla") / "draws/0/plain/00000.parquet")}
    assert usage["roles"]["actor"]["completions"] == len(questions)  # one further draw a question


def _rows(path: Path):  # type: ignore[no-untyped-def]
    import pyarrow.parquet as pq

    return pq.read_table(path).to_pylist()


def test_every_shard_is_a_job_of_its_own(changed) -> None:  # type: ignore[no-untyped-def]
    stale = changed("problems: {shard_size: 12}").stale()
    assert (stale["gsi_sample"], stale["gsi_grade"], stale["gsi_guide"]) == (3, 3, 9)


@pytest.mark.parametrize(
    ("overlay", "stale"),
    [
        ("evaluation: {bootstrap: 300}", {"evaluate_table": 1}),
        (
            "methods: {gsi: {variants: {fill: {select: {cap: 3}}}}}",
            {
                "gsi_select": 1,
                "gsi_perplexity": 1,
                "gsi_tail": 1,
                "train_specialist": 1,
                "choose_specialist": 1,
                "evaluate_sample": 1,
                "evaluate_grade": 1,
                "systems": 1,
                "evaluate_table": 1,
            },
        ),
    ],
)
def test_changing_a_setting_reruns_what_uses_it(changed, overlay: str, stale: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
    assert changed(overlay).stale() == {**stale, "report": 1}


def test_the_wrong_target_is_one_sentence(changed) -> None:  # type: ignore[no-untyped-def]
    wrong = changed("methods: {gsi: null}").snakemake("gsi", "--dry-run")
    assert wrong.returncode == 1
    assert "error: the target is gsi, but the configuration runs recut; add --configfile config/gsi.yaml" in (
        wrong.stderr + wrong.stdout
    )


@pytest.mark.needs("isolation")
def test_programs_are_written_run_and_trained_on(tmp_path: Path) -> None:
    copied = Project.copy_to(tmp_path / "project")
    (copied.folder / "config/test/overlay.yaml").write_text(
        "embedded: {lessons: [gsi-pot], steps: 250}\n"
        "problems: {train: {fields: {solution: program}}}\n"
        "methods: {recut: null, gsi: {sample: {mode: pot}, run: [state_reset]}}\n"
    )
    project = Project(copied.folder, f"{TINY} config/test/overlay.yaml")
    project.run("gsi")
    graded = [
        row
        for variant in ("vanilla", "state_reset")  # plain draws are shared
        for path in (folder(project, variant) / "graded").glob("?/*/*.parquet")  # iterations, phases
        for row in read_table(path, GRADED)
    ]
    right = [row for row in graded if row["verdict"] == "correct"]
    assert right and all(row["output"].strip() == row["answer"] for row in right)
    assert {row["verdict"] for row in graded} <= {
        "correct", "wrong", "no_answer", "truncated", "exec_error", "exec_timeout", "no_output"
    }  # fmt: skip
