"""One job of searches from beginning to end: engine, grader, journal and progress opened, run and closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bestpath.answers.grading import Grader
from bestpath.progress import progress_stream
from bestpath.records import Row
from bestpath.stages.generation import driver
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress


def run_searches(
    searches: Mapping[str, driver.Start], model: Path, engine: str, work: Path, key: str, label: str
) -> dict[str, list[Row]]:
    """Run searches with one model in the role `actor`; the rows of each, by problem.

    `engine` holds the engine's settings as JSON (see `engines.open_engine`). `work` keeps the journal of an
    interrupted run with the same `key`; the caller removes it when its outputs are written. Raises as `driver.run`.
    """
    settings = json.loads(engine)
    with Journal(work / "journal.jsonl", key) as journal, Grader() as grader:
        todo = searches.keys() - journal.finished.keys()
        engines = {"actor": open_engine(settings.pop("engine"), model, **settings)} if todo else {}
        try:
            progress = Progress(label, work / "progress.json", stream=progress_stream())
            return driver.run(searches, engines, grader, journal, progress)
        finally:
            for opened in engines.values():
                opened.close()
