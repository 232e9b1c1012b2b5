from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# machines that run the tests are slow and shared; no test is about time
settings.register_profile("bestpath", deadline=None)
settings.load_profile("bestpath")

ROOT = Path(__file__).resolve().parent.parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whole runs of the workflow go to one process, and those on Slurm to one: they share what is finished."""
    if item.get_closest_marker("workflow"):
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test data beside the project; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data sets are not at ../shared/data")
    return folder
