"""ReCUT's chapter of the report: from problems to pairs, two specialists, their merge, and the paths that were
explored.

It is in detail on the first variant and seed. `files` says which files it is told from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bestpath.core.problems import PROBLEMS
from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.core.tokens import text_counter
from bestpath.methods.recut.optimal import suspect_gold
from bestpath.methods.recut.report import funnel, merges, search
from bestpath.methods.recut.report.paths import TAGS, paths_of
from bestpath.methods.recut.report.variants import Variant, variants_section
from bestpath.methods.recut.report.verdicts import merge_verdicts
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL, TRIALS
from bestpath.stages.evaluation.tables import SAMPLES, SCORES
from bestpath.stages.evaluation.verdicts import headline
from bestpath.stages.merging.report import read_total
from bestpath.stages.report import training
from bestpath.stages.report.blocks import Explorer, Facts, Text
from bestpath.stages.report.data import Chapter, Section
from bestpath.stages.report.explorer import ExploredPath
from bestpath.stages.report.manifest import Files
from bestpath.stages.report.sources import answers_of, suspects_section
from bestpath.stages.report.training import Trained


def chapter(files: Files, results: Sequence[SystemRow], reference: str) -> Chapter:
    """The chapter; `results` are the lines of the result table, of all methods."""
    variants = [
        Variant(given["name"], given["overlay"], files.one("funnel", variant=given["name"]).json(), _end(files, given))
        for given in files.facts["variants"]
    ]
    first = variants[0]
    specialists = dict.fromkeys(entry["system"] for entry in files.of("choice"))
    ends = files.facts["variants"][0]["ends_with"].values()
    prompted = {row.system for row in results if row.method == "recut" and row.kind in ("base", "prompt")}
    shown = frozenset({*prompted, *specialists, *ends})
    runs = [
        Trained(entry["system"], entry["learning_rate"], entry["seed"], entry.jsonl()) for entry in files.of("metrics")
    ]
    own = [row for row in results if row.system in shown or row.system == reference]
    trials = files.rows("trials", TRIALS, variant=first.name)
    optimal = files.one("optimal").rows(OPTIMAL)
    sections = [
        *([variants_section(variants, results, reference)] if len(variants) > 1 else []),
        funnel.section_of(first.counts),
        search.section_of(search.exploration_of(trials, optimal, text_counter(files.one("base").path.parent))),
        training.training_section([_training(files, name, runs) for name in specialists]),
        *_merging(files, first, own),
        *_paths(files, first, trials, optimal),
        *_suspects(files, optimal),
        Section("Settings", (Facts(tuple(files.facts["settings"].items())),)),
    ]
    return Chapter(
        main=first.final,
        shown=shown,
        headline=tuple(headline(own, first.final)),
        sections=tuple(sections),
        about=f"variant {first.name}" if len(variants) == 1 else f"{len(variants)} variants, in detail on {first.name}",
        warnings=(*training.warnings_of(runs), *funnel.flaws_of(first.counts)),
        lengths=frozenset({first.final, *specialists}),
        listed=frozenset(variant.final for variant in variants),
    )


def _end(files: Files, variant: Row) -> str:
    """The system that a variant ends with: the merge that the dev split chooses, or its one model."""
    choices = files.of("merge_choice", variant=variant["name"])
    chosen = choices[0].json()["chosen"] if choices else ""
    end: str = variant["ends_with"][chosen]
    return end


def _training(files: Files, system: str, runs: Sequence[Trained]) -> training.Training:
    choice, rows = (files.one(name, system=system) for name in ("choice", "training_set"))
    return training.training_of(system, [run for run in runs if run.model == system], choice.json(), rows.jsonl())


def _merging(files: Files, first: Variant, own: Sequence[SystemRow]) -> Iterator[Section]:
    made = files.of("merge")
    if made:
        choice = files.one("merge_choice", variant=first.name).json()
        told = [merges.merge_of(m["merge"], m["settings"], read_total(m.path), choice) for m in made]
        yield merges.section_of(told, merge_verdicts(own))


def _paths(files: Files, first: Variant, trials: Sequence[Row], optimal: Sequence[Row]) -> Iterator[Section]:
    """The explorer, on the dev problems that the base and the first variant's last system have answered."""
    base, *others = files.of("dev_samples")
    answered = [base, *(entry for entry in others if entry["system"] == first.final)]
    answers = answers_of(
        (entry["system"], entry.rows(SAMPLES), files.one("dev_scores", system=entry["system"]).rows(SCORES))
        for entry in answered
    )
    problems = files.one("problems", dataset="train").rows(PROBLEMS)
    paths = paths_of([row for row in trials if row["problem_id"] in answers], problems, optimal, answers)
    if paths:
        yield explorer_section(paths)


def explorer_section(paths: Sequence[ExploredPath]) -> Section:
    """The explorer as a section."""
    text = (
        f"{len(paths)} of the explored problems, chosen so that every kind of event occurs. In each round the "
        "completions stand side by side; the part that was kept is marked, and below it is said why."
    )
    filters = tuple((tag, said) for tag, said in TAGS.items() if any(tag in path.tags for path in paths))
    return Section("Path explorer", (Text((text,)), Explorer(tuple(paths), filters, search.MODES)), "Paths")


def _suspects(files: Files, optimal: Sequence[Row]) -> Iterator[Section]:
    suspects = suspect_gold(optimal, files.one("candidates").rows(CANDIDATES))
    if suspects:
        yield suspects_section([tuple(suspect.values()) for suspect in suspects])
