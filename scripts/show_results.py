"""Print the summary of the newest report, and where the report lies."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Print the summary that was written last; exit with 1 if there is none."""
    reports = sorted(Path("results").glob("*/report/summary.txt"), key=lambda path: path.stat().st_mtime)
    if not reports:
        sys.exit("error: there is no report yet; run make demo")
    print(f"\n{reports[-1].read_text(encoding='utf-8')}\nreport: {reports[-1].with_name('report.html').resolve()}")


if __name__ == "__main__":
    main()
