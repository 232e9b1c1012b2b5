from __future__ import annotations

import pytest

from bestpath.stages.report.files import write_report
from tests.stages.report.example import report


@pytest.fixture(scope="session")
def data():
    """A whole report's data."""
    return report()


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
