"""Write the report of an experiment: one page, its figures, its tables, and a summary for the terminal."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

from bestpath.core.io import atomic_path, read_json, read_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import code_digest
from bestpath.core.tables import made_from, read_table, read_tables
from bestpath.core.tokens import text_counter
from bestpath.methods.recut.optimal import suspect_gold
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL, TRIALS
from bestpath.runtime.program import run
from bestpath.stages.embedded.pretraining import PRETRAINING
from bestpath.stages.evaluation import table, verdicts
from bestpath.stages.evaluation.results import read_results
from bestpath.stages.evaluation.tables import SAMPLES, SCORES
from bestpath.stages.merging.report import read_total
from bestpath.stages.report import sources, training, trials
from bestpath.stages.report.data import ReportData, Suspect, SystemRow
from bestpath.stages.report.files import write_report
from bestpath.stages.report.paths import paths_of
from bestpath.stages.report.variants import Variant, variants_of


def main() -> None:
    args = arguments()
    spec, all_results = json.loads(args.spec), read_results(args.results)
    systems = [SystemRow(**row) for row in read_json(args.results)]
    counts = [read_json(path) for path in args.counts]
    choices = {Path(path).parent.name: read_json(path) for path in args.merge_choices}
    variants = []
    for given, own in zip(spec["variants"], counts, strict=True):
        chosen = choices[given["name"]]["chosen"] if given["name"] in choices else ""
        variants.append(Variant(given["name"], given["overlay"], own, given["ends_with"][chosen]))
    first = variants[0]
    own_systems = {*spec["specialists"], *spec["variants"][0]["ends_with"].values()}
    results = [r for r in all_results if r.kind in {"base", "prompt"} or r.system in own_systems]
    scores = [(system, read_table(path, SCORES)) for system, path in zip(spec["systems"], args.scores, strict=True)]
    answers = sources.answers_of(
        (system, read_table(samples, SAMPLES), read_table(scored, SCORES))
        for system, samples, scored in zip(spec["dev_systems"], args.dev_samples, args.dev_scores, strict=True)
        if system in {"base", first.final}
    )
    problems, optimal = read_table(args.problems, PROBLEMS), read_table(args.optimal, OPTIMAL)
    explored = read_tables(args.trials, TRIALS)
    runs = [training.Trained(**run, metrics=read_jsonl(p)) for run, p in zip(spec["runs"], args.training, strict=True)]
    drawn = {
        "recut_explore": explored,
        "evaluate_sample": [row for path in args.samples for row in read_table(path, SAMPLES)],
    }
    data = ReportData(
        title=f"ReCUT: {spec['experiment']}",
        subtitle=spec["subtitle"],
        answer=tuple(verdicts.headline(results, first.final)),
        systems=tuple(row for row in systems if row.kind in {"base", "prompt"} or row.system in own_systems),
        final=first.final,
        variants=variants_of(variants, systems) if len(variants) > 1 else (),
        settings=tuple(spec["settings"].items()),
        verdicts=tuple(verdicts.verdicts(results)),
        merge_verdicts=tuple(verdicts.merge_verdicts(results)),
        decoding_verdicts=tuple(verdicts.decoding_verdicts(results)),
        warnings=(*training.warnings_of(runs), *sources.flaws_of(first.counts)),
        lengths=sources.lengths_of(scores, {"base", first.final, *spec["specialists"]}),
        funnel=tuple(sources.funnel_of(first.counts)),
        exploration=trials.exploration_of(explored, optimal, text_counter(args.model.parent)),
        rewards=trials.rewards_of(explored),
        specialists=tuple(
            training.specialist_of(name, [r for r in runs if r.specialist == name], read_json(choice), read_jsonl(rows))
            for name, choice, rows in zip(spec["specialists"], args.choices, args.training_sets, strict=True)
        ),
        merges=tuple(
            training.merge_of(**of, total=read_total(path), models=("length", "accuracy"), choice=choices[first.name])
            for of, path in zip(spec["merges"], args.merge_reports, strict=True)
        ),
        extras=tuple(training.pretraining_of(read_table(path, PRETRAINING)) for path in args.pretraining),
        paths=paths_of([row for row in explored if row["problem_id"] in answers], problems, optimal, answers),
        suspects=tuple(
            Suspect(*row.values()) for row in suspect_gold(optimal, read_table(args.candidates, CANDIDATES))
        ),
        cost=tuple(
            sources.cost_of(folder.name, [job for path in sorted(folder.rglob("*.jsonl")) for job in read_jsonl(path)],
                            drawn.get(folder.name, ()))
            for folder in sorted(path for path in args.benchmarks.iterdir() if path.is_dir())
        ),
        provenance=(
            *((name, version(name)) for name in ("torch", "transformers", "trl", "mergekit", "snakemake")),
            ("results of earlier code", ", ".join(accepted(args)) or "none"),
        ),
    )  # fmt: skip
    write_report(data, args.report)
    ends = {variant.final for variant in variants}
    told = [r for r in all_results if r in results or r.system in ends]
    with atomic_path(args.report / "summary.txt") as temporary:
        temporary.write_text("\n".join([table.terminal(told), "", *data.answer, ""]), encoding="utf-8")


def accepted(args: argparse.Namespace) -> list[str]:
    """The programs whose tables are older than their code: `make accept` declared them current."""
    tables = {
        "recut_explore": args.trials,
        "recut_candidates": [args.candidates],
        "recut_optimal": [args.optimal],
        "evaluate_sample": args.samples,
        "evaluate_grade": args.scores,
    }
    return [
        program
        for program, paths in tables.items()
        if {made_from(path)["code"] for path in paths} != {code_digest(program)}
    ]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="what the report is of and what its files are, as JSON")
    parser.add_argument("--results", required=True, help="the results as JSON")
    parser.add_argument("--scores", nargs="+", required=True, help="verdicts on the first set, one file a system")
    parser.add_argument("--samples", nargs="+", required=True, help="all answers, for the cost")
    parser.add_argument("--dev-samples", nargs="+", required=True, help="answers to the dev problems, the base's first")
    parser.add_argument("--dev-scores", nargs="+", required=True, help="the verdicts on them")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--trials", nargs="+", required=True)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--optimal", required=True)
    parser.add_argument("--counts", nargs="+", required=True, help="counts of the funnel, one file a variant")
    parser.add_argument("--training", nargs="+", required=True, help="metrics, one file a run")
    parser.add_argument("--training-sets", nargs="+", required=True, help="training rows, one file a specialist")
    parser.add_argument("--choices", nargs="+", required=True, help="choices of learning rates, one file a specialist")
    parser.add_argument("--merge-reports", nargs="*", required=True)
    parser.add_argument("--merge-choices", nargs="*", required=True, help="one file a variant that has merges")
    parser.add_argument("--pretraining", nargs="*", required=True, help="metrics of the embedded base, if it is that")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the base")
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder of the jobs' times")
    parser.add_argument("--report", type=Path, required=True, help="output: the report's folder")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
