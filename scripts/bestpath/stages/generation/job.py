"""One job of searches from beginning to end: its origin, its models by role, its resume state and its account."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from bestpath.core.io import write_json
from bestpath.core.provenance import Origin, origin_of
from bestpath.core.search import Measure
from bestpath.core.tables import Row, Table, write_table
from bestpath.runtime import resume
from bestpath.runtime.progress import progress_stream
from bestpath.stages.generation import driver
from bestpath.stages.generation.driver import Grader, Players, Start
from bestpath.stages.generation.engine import Answering, Engine
from bestpath.stages.generation.engines import modules_of, open_engine, open_scorer
from bestpath.stages.generation.journal import Finished, Journal, Usage
from bestpath.stages.generation.options import SANDBOX, by_name
from bestpath.stages.generation.progress import Progress

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class SearchJob:
    """Searches over some problems, with models in roles.

    `work` holds the resume state: an interrupted job of the same origin goes on from there. `label` is what its
    progress is called. By role: `models` are model folders, `engines` the settings of the engines that run them,
    `limits` those settings on which no answer depends, and `scorers` what a model gives that scores; all others
    complete. A role without an engine is not opened, and one that an endpoint plays needs no folder. `usage` is the
    file for the account.
    """

    origin: Origin
    work: Path
    label: str
    models: Mapping[str, Path] = field(default_factory=dict)
    engines: Mapping[str, Settings] = field(default_factory=dict)
    limits: Mapping[str, Settings] = field(default_factory=dict)
    scorers: Mapping[str, Measure] = field(default_factory=dict)
    usage: Path | None = None

    @classmethod
    def of(
        cls,
        program: str,
        args: argparse.Namespace,
        inputs: Iterable[Path | str],
        label: str,
        *,
        scorers: Mapping[str, Measure] | None = None,
        modules: Iterable[str] = (),
    ) -> SearchJob:
        """The job of a program, from its command line (see `options`), its input files besides the models, and the
        modules besides the engines that it loads by name. Raises UserError for an unknown engine.
        """
        given = vars(args)
        manifests = by_name(given.get("models", ()))
        engines = json.loads(given.get("engines", "{}"))
        loaded = [*modules_of(engines, scorers or ()), *modules]
        origin = origin_of(program, given, [*inputs, *manifests.values()], loaded)
        return cls(
            origin,
            args.work / origin.key,
            label,
            {role: manifest.parent for role, manifest in manifests.items()},
            engines,
            json.loads(given.get("limits", "{}")),
            scorers or {},
            given.get("usage"),
        )

    def part(self, name: str, label: str, models: Mapping[str, Path]) -> SearchJob:
        """A part of the job, with other models and a resume state of its own."""
        return replace(self, work=self.work / name, label=label, models=models)

    def run(
        self,
        searches: Mapping[str, Start],
        *,
        grader: Callable[[], AbstractContextManager[Grader]] | None = None,
        isolation: str = "",
    ) -> dict[str, list[Row]]:
        """Run the searches; the rows of each, by problem.

        `grader` opens what gives verdicts. Programs run in a sandbox of at least this `isolation`, if any is named.
        Both, and all models, are opened before anything is generated. Raises as `driver.run`, and UserError for a model
        that cannot be opened and an isolation that this machine does not offer.
        """
        with Journal(self.work / "journal.jsonl", self.origin.key) as journal, ExitStack() as opened:
            if searches.keys() - journal.finished.keys():
                sandbox = import_module(SANDBOX).Sandbox(min_level=isolation) if isolation else None
                runner = opened.enter_context(sandbox) if sandbox else None
                judge = opened.enter_context(grader()) if grader else None
                engines = self._open(self._completing, opened)
                scorers = self._open([role for role in self.engines if role in self.scorers], opened)
                players = Players(engines, scorers, judge, runner)
            else:  # loading a model for nothing is dear, but an endpoint keeps the account of what is finished
                engines = self._open([role for role in self._completing if self._is_paid(role)], opened)
                players = Players(engines)
            progress = Progress(self.label, self.work / "progress.json", stream=progress_stream())
            found = driver.run(searches, players, journal, progress)
            if self.usage is not None:
                write_json(self.usage, self._account([journal.finished[problem] for problem in searches], engines))
            return found

    def finish(self, path: Path | str, table: Table, rows: Iterable[Row]) -> None:
        """Write the job's table, the last of its outputs: its resume state is spent."""
        write_table(path, table, rows, self.origin.digests)
        resume.spend(self.work)

    @property
    def _completing(self) -> list[str]:
        """The roles that complete."""
        return [role for role in self.engines if role not in self.scorers]

    def _is_paid(self, role: str) -> bool:
        return bool(self.engines[role]["engine"] == "endpoint")

    def _open(self, roles: Iterable[str], opened: ExitStack) -> dict[str, Any]:
        """The engines of some roles; roles of one model that is run alike share one, and so an endpoint's limits."""
        shared: dict[str, Answering[Any, Any]] = {}
        engines = {}
        for role in roles:
            folder = "" if self._is_paid(role) else str(self.models[role])
            limits, of = self.limits.get(role, {}), self.scorers.get(role)
            alike = json.dumps([folder, self.engines[role], limits, of], sort_keys=True)
            if alike not in shared:
                settings = dict(self.engines[role])
                name = settings.pop("engine")
                engine: Answering[Any, Any]
                if of is None:
                    engine = open_engine(name, folder, limits=limits, job=self.origin.key, **settings)
                else:
                    engine = open_scorer(name, folder, of, limits=limits, **settings)
                shared[alike] = opened.enter_context(closing(engine))
            engines[role] = shared[alike]
        return engines

    def _account(self, finished: Sequence[Finished], engines: Mapping[str, Engine]) -> Row:
        """What problems cost, interrupted runs included: by role its engine, completions, their tokens, and money."""
        roles = {}
        for role in self._completing:
            used = sum((problem.usage.get(role, Usage()) for problem in finished), Usage())
            counts = {"completions": used.completions, "completion_tokens": used.tokens}
            cost = engines[role].usage(role) if role in engines else {}
            roles[role] = {"engine": self.engines[role]["engine"], **counts, **cost}
        return {"problems": len(finished), "roles": roles}
