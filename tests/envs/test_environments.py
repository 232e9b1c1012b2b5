"""The environments: complete conda files, in which every rule finds what its program imports."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from bestpath.core.provenance import SCRIPTS, code_of
from tests.warm import run_warm

ROOT = SCRIPTS.parent
ENVS = ROOT / "envs"
STACKS = ("sampling", "training", "merging", "tables")


def conda_file(stack: str) -> dict:
    return yaml.safe_load((ENVS / f"{stack}.yaml").read_text())


def pip_part(stack: str) -> list[str]:
    return next(part["pip"] for part in conda_file(stack)["dependencies"] if isinstance(part, dict))


@pytest.mark.parametrize("stack", STACKS)
def test_a_conda_file_is_what_conda_reads(stack: str) -> None:
    content = conda_file(stack)
    assert content.keys() == {"name", "channels", "dependencies"}
    assert content["channels"] == ["conda-forge", "nodefaults"]
    *conda, pip = content["dependencies"]
    assert all(re.fullmatch(r"pip|[a-z0-9_-]+=\d[\w.]*", part) for part in conda), conda
    assert "python=3.11" in conda and "pip" in conda and pip.keys() == {"pip"}
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pip["pip"])
    names = [pin.split("==")[0] for pin in pip["pip"]]
    assert names == sorted(set(names))


def test_each_stack_pins_what_it_is_for() -> None:
    versions = {stack: dict(pin.split("==") for pin in pip_part(stack)) for stack in STACKS}
    assert versions["sampling"]["vllm"].startswith("0.32.")  # 0.33 asks for a certifi that is not published
    assert {"trl", "deepspeed", "peft", "accelerate", "liger-kernel"} <= versions["training"].keys()
    assert "mergekit" in versions["merging"]
    assert not {"torch", "vllm", "trl"} & versions["tables"].keys()
    assert not {"trl", "deepspeed", "mergekit"} & versions["sampling"].keys()


def programs() -> list[tuple[str, str]]:
    """Every rule's program and the stack it runs in, as the rules state them."""
    pairs = []
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for rule in re.split(r"^\s*rule ", file.read_text(), flags=re.MULTILINE)[1:]:
            program = re.search(r"scripts/(\w+)\.py", rule)
            stack = re.search(r"envs/(\w+)\.yaml", rule)
            if program and stack:
                pairs.append((program[1], stack[1]))
    return pairs


OPTIONAL = {"vllm", "openai", "liger_kernel"}
"""Imported by one engine or option alone, whose rule's stack has them."""


@pytest.mark.parametrize(("program", "stack"), programs())
def test_a_program_finds_what_it_imports_in_its_stack(program: str, stack: str) -> None:
    pinned = {pin.split("==")[0] for pin in pip_part(stack)}
    distributions = packages_distributions()
    for module in code_of(program):
        path = SCRIPTS.joinpath(*module.split()[0].split(".")).with_suffix(".py")
        for name in third_party(path) - OPTIONAL:
            candidates = {distribution.lower().replace("_", "-") for distribution in distributions[name]}
            assert candidates & pinned, f"{path.relative_to(ROOT)} imports {name}, which envs/{stack}.yaml lacks"


def third_party(path: Path) -> set[str]:
    """The packages that a module imports when it is loaded; what a function imports may be of no use to the program."""
    if not path.exists():
        return set()
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"bestpath", "__future__"}


def test_snakemake_takes_the_conda_files(tmp_path: Path) -> None:
    conda = tmp_path / "conda"
    conda.write_text(
        """#!/bin/sh
case "$1" in
  --version) echo "conda 26.1.0" ;;
  config) echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo '{"conda_prefix": "/nowhere", "root_prefix": "/nowhere", "platform": "linux-64", "conda_version": "26.1.0"}'
esac
"""
    )
    conda.chmod(0o755)
    command = [str(Path(sys.executable).parent / "snakemake"), "--dry-run", "--sdm", "conda", "--nolock"]
    command += ["--conda-prefix", str(tmp_path / "prefix"), "--configfile", "config/test/tiny.yaml"]
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run_warm(command, ROOT, {**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout + done.stderr
    assert set(re.findall(r"Conda environment envs/(\w+)\.yaml will be created", printed)) == set(STACKS)


def test_a_machine_without_which_is_told_so_before_anything_is_set_up(tmp_path: Path) -> None:
    command = [sys.executable, str(ENVS / "setup.py")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1 and "calls `which` whenever Snakemake starts" in done.stderr


def test_the_check_names_what_a_file_lacks_and_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ENVS))
    monkeypatch.setattr(sys, "argv", ["check.py"])
    from check import differences

    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == []
    assert differences({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == [
        "c 3 is needed but not in the file",
        "b is pinned to 2, but nothing is taken",
    ]
