"""One job of searches from beginning to end: engine, grader, journal and progress opened, run and closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bestpath.answers.grading import Grader
from bestpath.progress import progress_stream
from bestpath.records import Row, write_json
from bestpath.stages.generation import driver
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress


def run_searches(
    searches: Mapping[str, driver.Start],
    model: Path,
    engine: str,
    work: Path,
    key: str,
    label: str,
    limits: str = "{}",
    usage: Path | None = None,
) -> dict[str, list[Row]]:
    """Run searches with one model in the role `actor`; the rows of each, by problem.

    `engine` and `limits` hold the engine's settings as JSON (see `engines.open_engine`). `work` keeps the journal of
    an interrupted run with the same `key`; the caller removes it when its outputs are written. `usage` is the file
    that says what the rows cost, earlier runs with the same key included. Raises as `driver.run`.
    """
    settings = json.loads(engine)
    name = settings.pop("engine")
    with Journal(work / "journal.jsonl", key) as journal, Grader() as grader:
        # loading a model for nothing is dear; an endpoint keeps the account of what is finished, too
        needed = searches.keys() - journal.finished.keys() or name == "endpoint"
        engines = {"actor": open_engine(name, model, limits=json.loads(limits), job=key, **settings)} if needed else {}
        try:
            progress = Progress(label, work / "progress.json", stream=progress_stream())
            found = driver.run(searches, engines, grader, journal, progress)
            if usage is not None:
                finished = [journal.finished[problem] for problem in searches]
                spent = {
                    "engine": name,
                    "problems": len(finished),
                    "completions": sum(problem.generations for problem in finished),
                    "completion_tokens": sum(problem.tokens for problem in finished),
                }
                paid = {role: cost for role, opened in engines.items() if (cost := opened.usage())}
                write_json(usage, {**spent, **paid})
            return found
        finally:
            for opened in engines.values():
                opened.close()
