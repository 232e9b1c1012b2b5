"""Whole runs of the workflow, on copies of the project, with real models of the embedded world."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from bestpath.catalog import NAMES
from tests.warm import run_warm

ROOT = Path(__file__).resolve().parents[2]
_TARGETS = {"all", "total", "evaluate", *NAMES}
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
TINY = "config/test/tiny.yaml"
PARTS = ("Snakefile", "rules", "scripts", "config", "envs", "profiles")


@dataclass(frozen=True)
class Project:
    """A copy of the project in which Snakemake runs."""

    folder: Path
    config: str = TINY

    @classmethod
    def copy_to(cls, folder: Path) -> Project:
        """Copy the code, without results, into a new folder."""
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / part)
        return cls(folder)

    def clone(self, folder: Path) -> Project:
        """Copy code, results and Snakemake's records."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.config)

    @property
    def results(self) -> Path:
        """The folder of the tiny experiment's results."""
        return self.folder / "results" / "tiny"

    def command(self, *arguments: str) -> list[str]:
        """The command line of a Snakemake run under the tiny configuration."""
        return [str(SNAKEMAKE), *arguments, "--configfile", *self.config.split()]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end."""
        return run_warm(self.command(*arguments), self.folder)

    def start(self, *arguments: str) -> psutil.Popen:
        """A run in a process group of its own, as in a terminal; what it prints is appended to run.log."""
        with (self.folder / "run.log").open("a") as log:
            return psutil.Popen(
                self.command(*arguments), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def run(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed; what it printed."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
        return done.stdout + done.stderr

    def stale(self, *arguments: str) -> dict[str, int]:
        """The jobs of a dry run by rule, targets left out."""
        printed = self.run("--dry-run", *arguments)
        counts = dict(re.findall(r"^(\w+) +(\d+)$", printed, re.MULTILINE))
        return {rule: int(n) for rule, n in counts.items() if rule not in _TARGETS}

    def overlay(self, text: str) -> Project:
        """The same project under the tiny configuration with these settings laid over it."""
        path = self.folder / "config" / "test" / "overlay.yaml"
        path.write_text(text)
        return Project(self.folder, f"{TINY} config/test/overlay.yaml")


def programs(run: psutil.Popen, script: str = "scripts/") -> list[psutil.Process]:
    """The running programs of a run's jobs whose script's path begins so."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for process in run.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # ended since, or a zombie
                if any(part.startswith(script) for part in process.cmdline()[1:2]):
                    found.append(process)
    return found


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose tiny run is finished, up to the report: the first process that asks for it runs it.

    Tests work on clones of it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project, done = Project(shared / "finished"), shared / "finished.done"
    with FileLock(shared / "finished.lock"):
        if not done.exists():
            shutil.rmtree(project.folder, ignore_errors=True)
            Project.copy_to(project.folder)
            project.run()
            done.touch()
    return project


@pytest.fixture
def clone(finished: Project, tmp_path: Path) -> Project:
    """A clone of the finished project, to be changed at will."""
    return finished.clone(tmp_path / "clone")
