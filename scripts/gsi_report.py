"""Write the report of a GSI experiment: one page, its figures, its tables, and a summary for the terminal."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from bestpath.core.io import atomic_path, read_json, read_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.tables import read_table
from bestpath.methods.gsi.tables import AUDIT, QUESTIONS, SAMPLED, TAIL
from bestpath.methods.gsi.tail import chance_rate
from bestpath.runtime.program import run
from bestpath.stages.embedded.pretraining import PRETRAINING
from bestpath.stages.evaluation import table, verdicts
from bestpath.stages.evaluation.results import read_results
from bestpath.stages.evaluation.tables import SCORES
from bestpath.stages.report import sources, tails, training
from bestpath.stages.report.data import Extra, ReportData, Suspect, SystemRow
from bestpath.stages.report.files import write_report

_SHOWN = 8  # disagreements of the verifiers


def main() -> None:
    args = arguments()
    spec, results = json.loads(args.spec), read_results(args.results)
    tests = {row["problem_id"]: str(row["level"] or "any") for row in read_table(args.tests, PROBLEMS)}
    scores = {model: read_table(path, SCORES) for model, path in zip(spec["models"], args.scores, strict=True)}
    readings = []
    for reading, path in zip(spec["readings"], args.tails, strict=True):
        answered = sources.greedy(scores[reading.pop("model")])
        correct = tails.correct_by_level(answered, tests)
        readings.append(tails.Reading(**reading, tail=tails.numbers_of(read_table(path, TAIL)), correct=correct))
    story = tails.Story(readings)
    reasons: dict[str, Counter[str]] = {variant: Counter() for variant in story.variants}
    for variant, path in zip(spec["sampled"], args.sampled, strict=True):
        reasons[variant].update(row["drop_reason"] for row in read_table(path, SAMPLED) if row["drop_reason"])
    pool = [row for row in read_table(args.problems, PROBLEMS) if row["split"] == "train"]
    questions = {row["problem_id"]: row for row in read_table(args.questions, QUESTIONS)} if args.questions else {}
    found = tails.claims(story)
    final = [r for r in results if r.kind == "base" or r.system in spec["final"]]
    answer = (*headline(found), *tails.control_sentences(story, spec["guided"]))
    data = ReportData(
        title=f"GSI: {spec['experiment']}",
        subtitle=f"variants {', '.join(story.variants)}; seeds {', '.join(map(str, spec['seeds']))}",
        answer=answer,
        systems=tuple(
            row for row in map(lambda r: SystemRow(**r), read_json(args.results)) if row.system in spec["final"]
        ),
        final=spec["main"],
        settings=tuple(spec["settings"].items()),
        verdicts=tuple(verdicts.verdicts(final)),
        warnings=tuple(f"{text}: does not hold ({figures})." for text, figures, holds in found if not holds),
        extras_title="Tail and guidance",
        extras=(
            tails.tail_extra(story),
            tails.accuracy_extra(story),
            tails.help_extra(story, reasons),
            tails.shapes_extra(story, ("vanilla", "brute", "state_reset", "fill")),
            audit_extra(args.audit, pool),
            *(training.pretraining_of(read_table(path, PRETRAINING)) for path in args.pretraining),
        ),
        suspects=tuple(
            Suspect(row["problem_id"], row["question"], row["answer"], asked["suspect_gold"], asked["n_guided"])
            for row in pool
            if (asked := questions.get(row["problem_id"])) and asked["suspect_gold"] is not None
        ),
        cost=tuple(
            sources.cost_of(folder.name, [job for path in sorted(folder.rglob("*.jsonl")) for job in read_jsonl(path)])
            for folder in sorted(path for path in args.benchmarks.iterdir() if path.is_dir())
        ),
        provenance=tuple((name, version(name)) for name in ("torch", "transformers", "trl", "snakemake")),
    )
    write_report(data, args.report)
    lines = [table.terminal(final), "", *answer, ""]
    with atomic_path(args.report / "summary.txt") as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def headline(found: list[tuple[str, str, bool]]) -> list[str]:
    """Every claim with its figures, and whether it holds."""
    return [f"{text[0].upper()}{text[1:]}: {figures}{'' if holds else ' — not met'}." for text, figures, holds in found]


def audit_extra(path: str, pool: list[dict]) -> Extra:  # type: ignore[type-arg]
    """Our verifier beside the released one, on the plain draws of iteration 0."""
    rows = read_table(path, AUDIT)
    counts = Counter((row["verdict"] == "correct", row["released_correct"]) for row in rows)
    differing = [row for row in rows if (row["verdict"] == "correct") != row["released_correct"]]
    text = (
        f"Of {len(rows):,} plain draws of iteration 0 both verifiers accept {counts[True, True]:,} and reject "
        f"{counts[False, False]:,}; only ours accepts {counts[True, False]:,}, only the released one "
        f"{counts[False, True]:,}.",
        "By chance, the answer of one question is that of another in "
        f"{100 * chance_rate(row['answer'] for row in pool):.1f} % of cases: so often a hopeless draw is right.",
    )
    head = ("draw", "gold", "ours reads", "ours says", "released reads", "released says")
    table_ = [
        (row["draw_id"], row["gold"], row["answer"] or "", row["verdict"], row["released_answer"],
         "correct" if row["released_correct"] else "wrong")
        for row in differing[:_SHOWN]
    ]  # fmt: skip
    return Extra("The verifier, audited", text, (), (head, *table_) if table_ else ())


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="what the report is of and what its files are, as JSON")
    parser.add_argument("--results", required=True, help="the results as JSON")
    parser.add_argument("--tests", required=True, help="the problems of the first evaluation set")
    parser.add_argument("--scores", nargs="+", required=True, help="verdicts on that set, one file a model")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--tails", nargs="+", required=True, help="numbers about the training sets, one file a reading")
    parser.add_argument(
        "--sampled", nargs="*", default=[], help="what became of the draws, one file a variant and seed"
    )
    parser.add_argument("--questions", default="", help="the questions of the last guided variant")
    parser.add_argument("--audit", required=True, help="both verifiers' verdicts")
    parser.add_argument("--pretraining", nargs="*", required=True, help="metrics of the embedded base, if it is that")
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder of the jobs' times")
    parser.add_argument("--report", type=Path, required=True, help="output: the report's folder")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
