"""The recipes of the paper: checked, planned whole and priced, without a network and without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bestpath.catalog import Settings
from scripts.show_plan import merged_settings
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

RECIPES = ("recut-qwen2.5-7b", "recut-llama3.1-8b")
OFFLINE = {"HF_HUB_OFFLINE": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project without any results."""
    return Project.copy_to(tmp_path_factory.mktemp("recipes") / "project")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_the_budgets_of_the_paper(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings: Settings = merged_settings([f"config/{recipe}.yaml"])
    assert settings.experiment == recipe
    assert (settings.seed, settings.problems.train.n, settings.problems.dev_fraction) == (42, 8000, 0.1)
    recut = settings.methods.recut
    explore, train = recut.explore, recut.train
    assert (explore.rounds, explore.temperature, explore.top_p, explore.max_tokens) == (8, 0.7, 0.95, 2048)
    assert (train.beta, train.epochs, train.global_batch, train.max_length) == (0.1, 1.0, 8, 4096)
    assert (train.learning_rates.length, train.learning_rates.accuracy) == ([1e-5], [1e-6])
    assert train.lora and (train.lora.r, train.lora.alpha, train.lora.targets) == (8, 16, "all-linear")
    assert recut.merge.methods["dare_ties"].density == 0.25
    sets = settings.evaluation.sets
    assert {name: source.samples for name, source in sets.items()} == {
        **dict.fromkeys(["gsm8k", "math500"]),
        **dict.fromkeys(["amc23", "aime24", "aime25"], 16),
    }
    assert settings.evaluation.max_tokens < settings.base.context
    sampled = settings.evaluation.decodings["sampled"]
    assert (sampled.temperature, sampled.top_p, sampled.top_k, sampled.samples) == (0.7, 0.8, 20, 1)


def test_the_recipes_differ_in_their_model_alone() -> None:
    first, second = (yaml.safe_load((ROOT / f"config/{recipe}.yaml").read_text()) for recipe in RECIPES)
    assert {key for key in first if first[key] != second[key]} == {"experiment", "models"}
    bases = [recipe["models"]["base"] for recipe in (first, second)]
    assert {key for key in bases[0] if bases[0][key] != bases[1][key]} == {"source"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_planned_whole(project: Project, recipe: str) -> None:
    planned = Project(project.folder, f"config/{recipe}.yaml").stale()
    assert planned["recut_explore"] == 8
    assert planned["train_specialist"] == planned["choose_specialist"] == 2
    assert planned["merge_models"] == 3
    # five sets for the base under three prompts, two specialists and three merges; dev for the base and the merges
    assert planned["evaluate_sample"] == planned["evaluate_grade"] == 5 * (3 + 2 + 3) + 1 + 3


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_plan_tells_what_a_recipe_costs(project: Project, recipe: str) -> None:
    done = plan(project, "--configfile", f"config/{recipe}.yaml")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 120
    assert "?" not in done.stdout and "Unknown" not in done.stdout
    cost, asked = (line.split() for line in lines if line.startswith("recut_explore"))
    assert cost[:10] == "recut_explore 8 80 k 128 k 14.4 M 262 M".split()
    assert asked[:6] == ["recut_explore", "8", "1", "8", "96000", "240"]
    assert not (project.folder / "results").exists()


GSI = "config/gsi-llama3-8b.yaml"


def test_the_recipe_of_gsi_has_the_budgets_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings: Settings = merged_settings([GSI])
    pools = [settings.problems.train, *settings.problems.others.values()]
    gsi = settings.methods.gsi
    assert (settings.methods.recut, [pool.n for pool in pools]) == (None, [3000, 4000, 3000])
    assert (gsi.iterations, gsi.sample.n_init, gsi.sample.temperature, gsi.sample.top_p) == (4, 8, 0.7, 1.0)
    assert (gsi.guidance.k, gsi.guidance.rounds, gsi.variant("brute").guidance.rounds) == (4, 8, 128)
    assert gsi.guidance.prefix_units == {"gsm8k": "line"} and gsi.guidance.prefix_unit == "fraction"
    train = gsi.train
    assert (train.learning_rate, train.epochs, train.global_batch, train.max_length) == (1e-5, 1.0, 64, 1024)
    assert (train.start, train.scheduler, train.warmup_ratio, train.lora.r) == ("base", "linear", 0.1, 0)
    programs = merged_settings([GSI, "config/gsi-llama3-8b-pot.yaml"])
    assert (programs.methods.gsi.sample.mode, programs.methods.gsi.variant("brute").guidance.rounds) == ("pot", 32)
    assert sum(pool.n or 0 for pool in programs.problems.others.values()) == 5961


@pytest.mark.parametrize("mode", ["cot", "pot"])
def test_the_recipe_of_gsi_is_planned_whole(project: Project, mode: str) -> None:
    config = GSI
    if mode == "pot":
        config += " config/gsi-llama3-8b-pot.yaml"
        (project.folder / "data").mkdir(exist_ok=True)
        for name in ("gsm8k", "math", "aqua"):
            (project.folder / f"data/pot_{name}.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    planned = Project(project.folder, config).stale("--resources", "gpu=8")
    variants, shards = 7, 4
    assert planned["train_specialist"] == 1 + 3 * variants  # all share iteration 0
    assert planned["gsi_sample"] == shards * (1 + 2 * variants)  # and its plain draws
    assert planned["gsi_guide"] == shards * (4 + 2 * 5)  # two variants differ in their selection alone at first
    assert planned["evaluate_sample"] == 6 * (1 + 1 + 3 * variants)


def test_a_plan_tells_what_gsi_costs(project: Project) -> None:
    done = plan(project, "--configfile", GSI)
    assert done.returncode == 0, done.stderr
    assert "?" not in done.stdout and "Unknown" not in done.stdout
    cost, asked = (line.split() for line in done.stdout.splitlines() if line.startswith("gsi_guide"))
    assert cost[:2] == ["gsi_guide", "56"] and asked[:4] == ["gsi_guide", "56", "8", "16"]


def test_a_gpu_or_a_setting_that_is_unknown_is_one_sentence(project: Project) -> None:
    done = plan(project, "--configfile", "config/recut-qwen2.5-7b.yaml", "--gpu", "abacus")
    assert done.returncode == 1
    assert done.stderr == (
        "error: nothing is known of the GPU 'abacus'; add it to config/throughput.yaml, or name h100 or a100\n"
    )
    (project.folder / "wrong.yaml").write_text("methods: {recut: {explor: {}}}\n")
    done = plan(project, "--configfile", "wrong.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: unknown setting 'methods.recut.explor'") and done.stderr.count("\n") == 1


def plan(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program behind `make plan`, with no network within reach."""
    command = [sys.executable, str(Path("scripts/show_plan.py")), *arguments]
    environment = {**os.environ, **OFFLINE}
    return subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=900)
