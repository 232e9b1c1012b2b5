"""Writes a report: the page, its figures as SVG and PNG, its tables as CSV and Markdown."""

from __future__ import annotations

from pathlib import Path

from bestpath.core.io import atomic_path
from bestpath.stages.report.data import Report
from bestpath.stages.report.html import render
from bestpath.stages.report.page import compose


def write_report(report: Report, folder: Path | str) -> None:
    """Write report.html, figures/*.svg|png and tables/*.csv|md into a folder; equal data gives equal bytes.

    Raises UserError when the folder cannot be written.
    """
    folder = Path(folder)
    page = compose(report)
    contents: dict[str, str | bytes] = {}
    for picture in page.pictures:
        contents[f"figures/{picture.name}.svg"] = picture.svg
        contents[f"figures/{picture.name}.png"] = picture.png
    for table in page.tables:
        contents[f"tables/{table.name}.csv"] = table.csv()
        contents[f"tables/{table.name}.md"] = table.markdown()
    contents["report.html"] = render(page)
    for name, content in contents.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
