"""GSI's chapter of the report: all variants and iterations side by side.

`files` says which files it is told from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bestpath.core.problems import PROBLEMS
from bestpath.core.systems import SystemRow
from bestpath.core.tables import Row
from bestpath.methods.gsi.report import sections
from bestpath.methods.gsi.report.claims import claims, control_sentences
from bestpath.methods.gsi.report.story import Reading, Story, correct_by_level, numbers_of
from bestpath.methods.gsi.tables import AUDIT, QUESTIONS, SAMPLED, TAIL
from bestpath.stages.evaluation.tables import SCORES
from bestpath.stages.report.blocks import Facts
from bestpath.stages.report.data import Chapter, Section
from bestpath.stages.report.manifest import Files
from bestpath.stages.report.sources import greedy, suspects_section

SHAPES = ("vanilla", "brute", "state_reset", "fill")
"""The variants whose training rows are drawn beside the references."""


def chapter(files: Files, results: Sequence[SystemRow], reference: str) -> Chapter:
    """The chapter; `results` are the lines of the result table, of all methods; accuracies are on its first set."""
    facts = files.facts
    story = Story([*_readings(files, results[0].dataset)])
    found = claims(story)
    reasons: dict[str, Counter[str]] = {variant: Counter() for variant in story.variants}
    for entry in files.of("sampled"):
        dropped = (row["drop_reason"] for row in entry.rows(SAMPLED) if row["drop_reason"])
        reasons[entry["variant"]].update(dropped)
    pool = [row for row in files.one("problems", dataset="train").rows(PROBLEMS) if row["split"] == "train"]
    prompted = {row.system for row in results if row.method == "gsi" and row.kind in ("base", "prompt")}
    return Chapter(
        main=facts["main"],
        shown=frozenset({*prompted, *facts["final"]}),
        headline=(*(claim.sentence for claim in found), *control_sentences(story, facts["guided"])),
        sections=(
            sections.tail_section(story),
            sections.accuracy_section(story),
            sections.help_section(story, reasons),
            sections.shapes_section(story, SHAPES),
            sections.audit_section(files.one("audit").rows(AUDIT), pool),
            *_suspects(files, pool),
            Section("Settings", (Facts(tuple(facts["settings"].items())),)),
        ),
        about=f"variants {', '.join(story.variants)}",
        warnings=tuple(claim.warning for claim in found if not claim.holds),
    )


def _readings(files: Files, dataset: str) -> Iterator[Reading]:
    levels = {
        row["problem_id"]: str(row["level"] or "any") for row in files.one("problems", dataset=dataset).rows(PROBLEMS)
    }
    for entry in files.of("tail"):
        scores = files.one("scores", id=entry["id"], dataset=dataset).rows(SCORES)
        correct = correct_by_level(greedy(scores), levels)
        yield Reading(entry["variant"], entry["t"], entry["seed"], numbers_of(entry.rows(TAIL)), correct)


def _suspects(files: Files, pool: Sequence[Row]) -> Iterator[Section]:
    """Questions of the pool whose guided draws all agree on another answer, by the last variant that has them."""
    entries = files.of("questions")[-1:]
    asked = {row["problem_id"]: row for entry in entries for row in entry.rows(QUESTIONS)}
    suspects = [
        (row["problem_id"], row["question"], row["answer"], about["suspect_gold"], about["n_guided"])
        for row in pool
        if (about := asked.get(row["problem_id"])) and about["suspect_gold"] is not None
    ]
    if suspects:
        yield suspects_section(suspects)
