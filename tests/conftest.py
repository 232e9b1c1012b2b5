from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.machine import hide_tools, lacking

# machines that run the tests are slow and shared; no test is about time
settings.register_profile("bestpath", deadline=None)
settings.load_profile("bestpath")

ROOT = Path(__file__).resolve().parent.parent

LONGEST = (
    "test_reliability.py::test_killed_at_twenty",
    "test_gsi.py::test_programs",
    "training/test_zero.py",
    "test_cluster.py",
    "test_add_a_method.py",
    "test_gsi.py::test_a_larger_budget",
    "test_endpoint.py::test_exploring",
    "tests/workflow/",
)
"""What starts first, so that no process is left alone with it at the end. The first one makes the finished run, for
which the next two do not wait."""

SHARING = ("test_add_a_method.py", "test_cluster.py", "test_recipes.py")
"""Whole runs that share what they set up, as other files do."""


class Files(LoadScopeScheduling):
    """A process takes a file, whose tests share what they set up; whole runs share results on the disk, one by one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if "workflow/" in file and not file.endswith(SHARING) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """The tests go to the processes in the order in which they were collected."""
    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""

    def place(item: pytest.Item) -> int:
        return next((i for i, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))

    items.sort(key=place)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a machine has, for tests that need something of it (tests/machine.py)."""
    parser.addoption("--bare", action="store_true", help="hide all tools but a shell's from the tests")
    parser.addoption("--require", action="append", default=[], help="a need for want of which no test is skipped")


def pytest_configure(config: pytest.Config) -> None:
    """Hide tools before anybody looks for them; processes of xdist have the PATH from the first one."""
    if config.option.bare and not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="bestpath-bare-")
        config.add_cleanup(folder.cleanup)
        hide_tools(Path(folder.name))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what this machine lacks, before anything is set up for it."""
    for need in [need for marker in item.iter_markers("needs") for need in marker.args]:
        if reason := lacking(need):
            (pytest.fail if need in item.config.option.require else pytest.skip)(reason)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test data beside the project; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data sets are not at ../shared/data")
    return folder
