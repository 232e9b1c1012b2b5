from __future__ import annotations

import pytest

from bestpath.stages.report.folder import write_report
from tests.stages.report.example import report


@pytest.fixture(scope="session")
def data():
    """A report of one method."""
    return report("alpha")


@pytest.fixture(scope="session")
def folder(data, tmp_path_factory):
    """The same report, written."""
    path = tmp_path_factory.mktemp("report")
    write_report(data, path)
    return path


@pytest.fixture(scope="session")
def page(folder):
    """The same report's page."""
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def both():
    """A report of two methods."""
    return report("alpha", "beta")


@pytest.fixture(scope="session")
def page_of_both(both, tmp_path_factory):
    """Its page."""
    path = tmp_path_factory.mktemp("both")
    write_report(both, path)
    return (path / "report.html").read_text(encoding="utf-8")
