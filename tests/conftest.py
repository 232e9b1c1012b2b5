from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# machines that run the tests are slow and shared; no test is about time
settings.register_profile("bestpath", deadline=None)
settings.load_profile("bestpath")

ROOT = Path(__file__).resolve().parent.parent


class Sharing(LoadScopeScheduling):
    """Whole runs of the workflow go to one process, which shares what is finished, and those of GSI to another."""

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith("tests/workflow/"):
            return nodeid
        return "GSI" if "/test_gsi.py" in nodeid else "ReCUT"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """The tests of some processes, the largest groups first."""
    return Sharing(config, log)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test data beside the project; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data sets are not at ../shared/data")
    return folder
