"""One job of searches from beginning to end: engine, grader, journal and progress opened, run and closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from bestpath.answers.grading import Grader
from bestpath.answers.sandbox import Sandbox
from bestpath.core.io import write_json
from bestpath.core.tables import Row
from bestpath.runtime.progress import progress_stream
from bestpath.stages.generation import driver
from bestpath.stages.generation.engine import Engine, Scorer
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress


def run_searches(
    searches: Mapping[str, driver.Start],
    model: Path | None,
    engine: str,
    work: Path,
    key: str,
    label: str,
    limits: str = "{}",
    usage: Path | None = None,
    scorers: Mapping[str, Callable[[], Scorer]] | None = None,
    sandbox: Callable[[], Sandbox] | None = None,
    others: Mapping[str, Callable[[], Engine]] | None = None,
) -> dict[str, list[Row]]:
    """Run searches with one model in the role `actor`, or with none; the rows of each, by problem.

    `engine` and `limits` hold the engine's settings as JSON (see `engines.open_engine`). `work` keeps the journal of
    an interrupted run with the same `key`; the caller removes it when its outputs are written. `usage` is the file
    that says what the rows cost, earlier runs with the same key included. `scorers` open the models of other roles
    that score (see `engines.open_scorer`), `others` those that answer in other roles, and `sandbox` where programs run,
    all before anything is generated. Raises as `driver.run`.
    """
    settings = json.loads(engine)
    name = settings.pop("engine", "none")
    with Journal(work / "journal.jsonl", key) as journal, Grader() as grader, ExitStack() as opened:
        # loading a model for nothing is dear; an endpoint keeps the account of what is finished, too
        unfinished = searches.keys() - journal.finished.keys()
        runner = opened.enter_context(sandbox()) if sandbox and unfinished else None
        engines = {}
        if model is not None and (unfinished or name == "endpoint"):
            actor = open_engine(name, model, limits=json.loads(limits), job=key, **settings)
            engines["actor"] = opened.enter_context(closing(actor))
        for role, open_other in (others or {}).items() if unfinished else ():
            engines[role] = opened.enter_context(closing(open_other()))
        openers = scorers if scorers and unfinished else {}
        judges = {role: opened.enter_context(closing(open_())) for role, open_ in openers.items()}
        progress = Progress(label, work / "progress.json", stream=progress_stream())
        found = driver.run(searches, engines, grader, journal, progress, judges, runner)
        if usage is not None:
            finished = [journal.finished[problem] for problem in searches]
            spent = {
                "engine": name,
                "problems": len(finished),
                "completions": sum(problem.generations for problem in finished),
                "completion_tokens": sum(problem.tokens for problem in finished),
            }
            paid = {role: cost for role, engine in engines.items() if (cost := engine.usage())}
            write_json(usage, {**spent, **paid})
        return found
