"""A change re-runs exactly what it reaches: real dry runs over real, finished results."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

LEAVES = {"evaluate_table": 1, "report": 1}


def test_nothing_is_stale_after_a_run(clone: Project) -> None:
    assert clone.stale() == {}


def test_touching_every_file_stales_nothing(clone: Project) -> None:
    for path in clone.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)
    assert clone.stale() == {}


def test_comments_and_docstrings_stale_nothing(clone: Project) -> None:
    for path in (clone.folder / "scripts").rglob("*.py"):
        path.write_text(path.read_text() + "\n# one more remark\n")
    assert clone.stale() == {}


def test_code_cloned_anew_over_finished_results_stales_nothing(clone: Project, tmp_path: Path) -> None:
    fresh = Project.copy_to(tmp_path / "fresh")
    shutil.copytree(clone.folder / "results", fresh.folder / "results")
    shutil.copytree(clone.folder / ".snakemake", fresh.folder / ".snakemake")
    assert fresh.stale() == {}


EXPLORED = {
    "recut_explore": 2,
    "recut_candidates": 1,
    "recut_optimal": 1,
    "recut_pairs": 2,
    "recut_funnel": 1,
    "train_reference": 2,
    "train_specialist": 3,
    "choose_specialist": 2,
    "merge_models": 2,
    "evaluate_sample": 6,  # two specialists and two merges on the test set, two merges on the dev split
    "evaluate_grade": 6,
    "recut_choose_merge": 1,
    "systems": 1,
    **LEAVES,
}
ONE_MERGE = {
    "merge_models": 1,
    "evaluate_sample": 2,
    "evaluate_grade": 2,
    "recut_choose_merge": 1,
    "systems": 1,
    **LEAVES,
}
ACCURACY = {
    "recut_pairs": 1,
    "recut_funnel": 1,
    "train_reference": 1,
    "train_specialist": 1,
    "choose_specialist": 1,
    "merge_models": 2,
    "evaluate_sample": 5,
    "evaluate_grade": 5,
    "recut_choose_merge": 1,
    "systems": 1,
    **LEAVES,
}
GRADED_OF_GSI = {
    "gsi_grade": 2,
    "gsi_guide": 6,  # three strategies, two shards
    "gsi_audit": 1,
    "gsi_select": 5,
    "gsi_tail": 6,
    "gsi_perplexity": 5,  # not of the references
    "train_specialist": 5,
    "choose_specialist": 5,
    "evaluate_sample": 5,
    "evaluate_grade": 5,
    "systems": 1,
    **LEAVES,
}


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("stages/report/figures.py", {"report": 1}),
        ("stages/evaluation/verdicts.py", {"report": 1}),
        ("stages/merging/methods.py", {**ONE_MERGE, "merge_models": 2, "evaluate_sample": 4, "evaluate_grade": 4}),
        ("methods/recut/reward.py", EXPLORED),
        ("methods/recut/pairs.py", {**EXPLORED, "recut_explore": 0, "recut_candidates": 0, "recut_optimal": 0}),
        ("methods/gsi/grade.py", GRADED_OF_GSI),
        ("methods/gsi/report/sections.py", {"report": 1}),
    ],
)
def test_changing_a_function_reruns_what_reaches_it(clone: Project, module: str, stale: dict[str, int]) -> None:
    path = clone.folder / "scripts" / "bestpath" / module
    text = path.read_text()
    name = text.split("\ndef ", 1)[1].split("(", 1)[0]
    path.write_text(text + f"\n\n{name} = {name}\n")
    assert clone.stale() == {rule: n for rule, n in stale.items() if n}
    printed = clone.run("--dry-run", "--quiet", "host")
    assert "bestpath." + module.removesuffix(".py").replace("/", ".") in printed


def test_changing_a_lesson_makes_the_base_anew_and_no_problems(clone: Project) -> None:
    path = clone.folder / "scripts/bestpath/methods/gsi/lessons.py"
    path.write_text(path.read_text() + "\nEXTRA = 1\n")
    every = clone.stale("--forceall")
    stale = clone.stale()
    of_problems = {"embedded_problems", "problems_train", "problems_test", "gsi_references"}
    assert every.keys() - stale.keys() == of_problems
    assert stale.items() <= every.items()


@pytest.mark.parametrize(
    ("overlay", "stale"),
    [
        ("methods: {recut: {merge: {methods: {dare_ties: {density: 0.5}}}}}", ONE_MERGE),
        ("methods: {recut: {pairs: {accuracy: {rejected: longest}}}}", ACCURACY),
        ("methods: {recut: {explore: {rounds: 3}}}", EXPLORED),
        ("evaluation: {bootstrap: 300}", LEAVES),
        ("methods: {recut: {merge: {methods: {ties: {method: ties}}}}}", ONE_MERGE),
        ("compute: {mem_mb: 4000}", {}),
    ],
)
def test_changing_a_setting_reruns_what_uses_it(clone: Project, overlay: str, stale: dict[str, int]) -> None:
    assert clone.overlay(overlay).stale() == stale


def test_a_prompt_reruns_what_is_asked_with_it(clone: Project) -> None:
    prompt = clone.folder / "config/prompts/recut/chain_of_draft.jinja"
    prompt.write_text(prompt.read_text().replace("five words", "six words"))
    assert clone.stale() == {"evaluate_sample": 1, "evaluate_grade": 1, **LEAVES}


def test_the_prompt_of_a_lesson_makes_the_base_anew(clone: Project) -> None:
    prompt = clone.folder / "config/prompts/recut/long.jinja"
    prompt.write_text(prompt.read_text().replace("Think deeply", "Think hard"))
    stale = clone.stale()
    assert stale["embedded_base"] == 1
    assert not {"embedded_problems", "problems_train", "problems_test"} & stale.keys()


def test_a_variant_shares_what_it_does_not_change(clone: Project) -> None:
    stale = clone.overlay("methods: {recut: {run: [main, rounds_8, ipo]}}").stale()
    assert stale["train_specialist"] == 3
    assert not {"recut_explore", "recut_candidates", "recut_pairs", "train_reference"} & stale.keys()


def test_accepting_declares_results_current(clone: Project) -> None:
    path = clone.folder / "scripts/bestpath/methods/recut/optimal.py"
    path.write_text(path.read_text() + "\nEXTRA = 1\n")
    assert clone.stale()["recut_optimal"] == 1
    make_accept(clone)
    assert clone.stale() == {}
    clone.run("--forcerun", "report")
    page = (clone.results / "report/report.html").read_text()
    assert re.search(r"results of earlier code</dt><dd>recut_optimal<", page)


def test_changed_settings_are_not_accepted(clone: Project) -> None:
    changed = clone.overlay("methods: {recut: {pairs: {accuracy: {rejected: longest}}}}")
    refused = make_accept(changed, succeeds=False)
    assert "error: not accepted" in refused and "build the accuracy pairs" in refused
    assert changed.stale() == ACCURACY


def make_accept(project: Project, *, succeeds: bool = True) -> str:
    """Run the command of `make accept`; what it printed."""
    dry_run, touch = (" ".join(project.command(mode)) for mode in ("--dry-run", "--touch"))
    only_code = f"{sys.executable} scripts/show_reasons.py --only-code"
    command = ["bash", "-o", "pipefail", "-c", f"{dry_run} 2>&1 | {only_code} && {touch}"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=300)
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr
