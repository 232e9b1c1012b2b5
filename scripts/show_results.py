"""Print the result table of the last experiment and where its report lies."""

from __future__ import annotations

import sys
from pathlib import Path

from bestpath.records import read_json
from bestpath.stages.evaluation.results import read_results
from bestpath.stages.evaluation.table import terminal
from bestpath.stages.evaluation.verdicts import headline


def main() -> None:
    """Print the newest result table; exit with 1 if there is none."""
    pages = sorted(Path("results").glob("*/report/report.html"), key=lambda path: path.stat().st_mtime)
    if not pages:
        sys.exit("error: there is no report yet; run make demo")
    experiment = pages[-1].parent.parent
    results = read_results(experiment / "tables" / "results.json")
    print(f"\n{terminal(results)}\n")
    choice = experiment / "recut" / "main" / "merge.json"
    if choice.exists():
        print("\n".join(headline(results, f"merged: {read_json(choice)['chosen']}")))
    print(f"\nreport: {pages[-1].resolve()}")


if __name__ == "__main__":
    main()
