"""The Slurm profile: what Snakemake would request of a cluster, by a dry run and by a program in place of sbatch."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from bestpath.catalog import Experiment
from bestpath.planning.configuration import load
from bestpath.planning.wiring import Wiring
from tests.warm import run_warm
from tests.workflow.conftest import ROOT, Project

COMMON = (ROOT / "rules" / "common.smk").read_text()
PROFILE = ROOT / "profiles" / "slurm" / "profile.yaml"
ONE_GPU = "compute: {gpus: 1, device: cpu}\n"
OPTIONS = "--sdm env-modules --slurm-no-account --slurm-status-command squeue --retries 0"
OPTIONS += " --slurm-init-seconds-before-status-checks 1"

MADE = (
    "embedded/train.jsonl",
    "embedded/test.jsonl",
    "problems/test.parquet",
    "problems/train.parquet",
    "models/base/manifest.json",
    "embedded/pretraining.parquet",
)
"""What stands before the exploration; empty files will do where nothing runs."""


def profile_with(*shown: str) -> str:
    """The profile with those commented lines shown that start with one of these keys."""
    keys = "|".join(shown)
    return re.sub(rf"^( *)# ((?:{keys}): .*|(?:{keys}):)$", r"\1\2", PROFILE.read_text(), flags=re.MULTILINE)


def rules() -> dict[str, str]:
    """The text of every rule that computes, by name."""
    text = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    blocks = re.split(r"^ *rule (\w+):$", text, flags=re.MULTILINE)
    return {name: block for name, block in zip(blocks[1::2], blocks[2::2], strict=True) if "shell:" in block}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.copy_to(tmp_path / "project").overlay(ONE_GPU)


def sbatch_calls(project: Project, profile: str) -> list[str]:
    """The arguments with which the profile calls sbatch for the two jobs of the exploration."""
    (project.folder / "profiles" / "slurm" / "profile.yaml").write_text(profile)
    for name in MADE:
        path = project.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    programs = project.folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "sbatch").write_text(f'#!/bin/bash\necho "$@" >> {project.folder}/calls\nexit 1\n')
    (programs / "squeue").write_text("#!/bin/bash\n")
    (programs / "sacct").write_text("#!/bin/bash\n")
    (programs / "sinfo").write_text("#!/bin/bash\necho 'main*'\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    targets = [f"results/tiny/recut/main/s1/explore/0000{i}.parquet" for i in range(2)]
    command = project.command(*targets, "--workflow-profile", "profiles/slurm", *OPTIONS.split())
    done = run_warm(command, project.folder, {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
    assert "SLURM sbatch failed" in done.stdout + done.stderr, done.stderr[-3000:]
    return (project.folder / "calls").read_text().splitlines()


def test_it_has_every_key_of_the_profile_of_one_machine_that_is_not_about_one_machine() -> None:
    here = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
    there = yaml.safe_load(PROFILE.read_text())
    assert here.keys() - there.keys() == {"cores", "resources"}
    assert {key for key in here if key in there and here[key] != there[key]} == {"latency-wait", "retries"}


def test_every_rule_requests_memory_and_time_and_those_on_models_gpus_scaled_by_attempt() -> None:
    on_gpus = set()
    for name, rule in rules().items():
        by_model = any(how in rule for how in (".resources(minutes=", "**WIRING.training_devices(minutes="))
        assert by_model or ("mem_mb=" in rule and "runtime=" in rule), name
        assert by_model == ("models=True" in rule or "launcher=TRAINER" in rule), name
        if by_model:
            on_gpus.add(name)
    of_gsi = {"gsi_sample", "gsi_guide", "gsi_perplexity"}
    assert on_gpus == {"recut_explore", "evaluate_sample", "train_reference", "train_specialist"} | of_gsi
    assert on_gpus == set(re.findall(r"# +(\w+): \{gpu: 0, gres:", PROFILE.read_text()))
    wiring = Wiring(Experiment(load({})))
    job = SimpleNamespace(variant="main", seed="1", shard="00000", system="base", set="test")
    for asked in (wiring.of("recut").players("explore").resources(minutes=60), wiring.training_devices(minutes=60)):
        assert asked["runtime"](job, 3) == 180
        assert asked["mem_mb"](job, 3) == 3 * asked["mem_mb"](job, 1)
    assert "scripts/with_gpus.py {resources.gpu}" in COMMON and "with_gpus.py {{resources.gpu}}" in COMMON


def test_what_sbatch_is_asked_for(project: Project) -> None:
    calls = sbatch_calls(project, PROFILE.read_text())
    assert len(calls) == 2
    for call in calls:
        for flag in ("--gpus=1", "--mem 3000", "-t 240", "--cpus-per-task=1", "--requeue", "--signal=TERM@120"):
            assert flag in call, call
        assert "-p main" in call  # the cluster's default
        assert "--gres" not in call
        assert "rule_recut_explore" in call


def test_partition_account_qos_and_constraint_stand_in_one_place(project: Project) -> None:
    profile = profile_with("slurm_partition", "qos", "constraint")
    call = sbatch_calls(project, profile)[0]
    for flag in ("-p gpu", "--qos=normal", "-C a100", "--gpus=1"):
        assert flag in call, call


def test_the_variant_for_clusters_that_want_gres(project: Project) -> None:
    profile = profile_with("set-resources", "  recut_explore", "  evaluate_sample", "  train_specialist")
    call = sbatch_calls(project, profile)[0]
    assert "--gres=gpu:1" in call
    assert "--gpus" not in call.split("--wrap")[0]


def test_jobs_that_are_ready_together_as_one_array(project: Project) -> None:
    calls = sbatch_calls(project, profile_with("slurm-array-jobs"))
    assert len(calls) == 1
    assert "--array=1-2" in calls[0]
