"""Print the result table of the last experiment and where its report lies."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Print the newest result table; exit with 1 if there is none."""
    pages = sorted(Path("results").glob("*/report/report.html"), key=lambda path: path.stat().st_mtime)
    if not pages:
        sys.exit("error: there is no report yet; run make demo")
    experiment = pages[-1].parent.parent
    print((experiment / "tables" / "results.txt").read_text(encoding="utf-8"))
    print(f"\nreport: {pages[-1].resolve()}")


if __name__ == "__main__":
    main()
