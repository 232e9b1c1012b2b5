"""Write the report of an experiment: one page, its figures, its tables."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

from bestpath.methods.recut.optimal import suspect_gold
from bestpath.methods.recut.tables import CANDIDATES, OPTIMAL, TRIALS
from bestpath.program import run
from bestpath.records import PROBLEMS, SAMPLES, SCORES, Row, read_json, read_jsonl, read_table, read_tables
from bestpath.stages.embedded.pretraining import PRETRAINING
from bestpath.stages.evaluation import verdicts
from bestpath.stages.evaluation.results import read_results
from bestpath.stages.merging.report import ALL, MERGE_REPORT
from bestpath.stages.report import sources, trials, words
from bestpath.stages.report.data import Chart, Extra, Line, Merge, ReportData, Specialist, Suspect, SystemRow
from bestpath.stages.report.files import write_report
from bestpath.stages.report.paths import paths_of
from bestpath.tokens import text_counter


def main() -> None:
    args = arguments()
    results, spec = read_results(args.results), json.loads(args.spec)
    choice = read_json(args.merge_choice) if args.merge_choice else {}
    final = spec["final"] or f"merged: {choice['chosen']}"
    explored, optimal = read_tables(args.trials, TRIALS), read_table(args.optimal, OPTIMAL)
    problems = read_table(args.problems, PROBLEMS)
    training = [read_jsonl(path) for path in args.training]
    counts = read_json(args.counts)
    scores = [(system, read_table(path, SCORES)) for system, path in zip(spec["systems"], args.scores, strict=True)]
    answers = base_answers(args.base_samples, args.base_scores)
    data = ReportData(
        title=f"ReCUT: {spec['experiment']}",
        subtitle=spec["subtitle"],
        answer=tuple(verdicts.headline(results, final)),
        systems=tuple(SystemRow(**row) for row in read_json(args.results)),
        final=final,
        settings=tuple(spec["settings"].items()),
        verdicts=tuple(verdicts.verdicts(results)),
        merge_verdicts=tuple(verdicts.merge_verdicts(results)),
        decoding_verdicts=tuple(verdicts.decoding_verdicts(results)),
        warnings=(*warnings_of(spec["runs"], training), *sources.flaws_of(counts)),
        lengths=tuple(
            sources.lengths_of(system["system"], system["kind"], greedy(rows))
            for system, rows in scores
            if system["kind"] in {"base", "specialist"} or system["system"] == final
        ),
        funnel=tuple(sources.funnel_of(counts)),
        exploration=trials.exploration_of(explored, optimal, text_counter(args.model.parent)),
        rewards=trials.rewards_of(explored),
        specialists=tuple(specialists_of(spec["runs"], training, args.choices)),
        merges=tuple(merges_of(spec["merges"], args.merge_reports, choice)),
        extras=pretraining_of(args.pretraining),
        paths=paths_of([row for row in explored if row["problem_id"] in answers], problems, optimal, answers),
        suspects=tuple(
            Suspect(*row.values()) for row in suspect_gold(optimal, read_table(args.candidates, CANDIDATES))
        ),
        cost=tuple(cost_of(args.benchmarks, explored, args.samples)),
        provenance=tuple((name, version(name)) for name in ("torch", "transformers", "trl", "mergekit", "snakemake")),
    )
    write_report(data, args.report)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="what the report is of and what its files are, as JSON")
    parser.add_argument("--results", required=True, help="the results as JSON")
    parser.add_argument("--scores", nargs="+", required=True, help="verdicts on the first set, one file a system")
    parser.add_argument("--samples", nargs="+", required=True, help="all answers, for the cost")
    parser.add_argument("--base-samples", required=True, help="the base's answers to the dev problems")
    parser.add_argument("--base-scores", required=True, help="the verdicts on them")
    parser.add_argument("--problems", required=True)
    parser.add_argument("--trials", nargs="+", required=True)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--optimal", required=True)
    parser.add_argument("--counts", required=True, help="the counts of the funnel")
    parser.add_argument("--training", nargs="+", required=True, help="metrics, one file a run")
    parser.add_argument("--choices", nargs="+", required=True, help="choices of learning rates, one file a specialist")
    parser.add_argument("--merge-reports", nargs="*", required=True)
    parser.add_argument("--merge-choice", required=True, help="the choice among the merges; empty if there are none")
    parser.add_argument("--pretraining", required=True, help="metrics of the embedded base; empty for another base")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the base")
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder of the jobs' times")
    parser.add_argument("--report", type=Path, required=True, help="output: the report's folder")
    return parser.parse_args()


def greedy(scores: list[Row]) -> list[Row]:
    """The greedy samples, or those of the first decoding if there are none."""
    first = min((row["decoding"] for row in scores), key=lambda name: (name != "greedy", name))
    return [row for row in scores if row["decoding"] == first]


def warnings_of(runs: list[Row], training: list[list[Row]]) -> list[str]:
    """The warnings of all training runs."""
    return [
        warning
        for run, metrics in zip(runs, training, strict=True)
        for warning in sources.training_warnings(f"{run['specialist']}, {run['learning_rate']:g}", metrics)
    ]


def specialists_of(runs: list[Row], training: list[list[Row]], choices: list[str]) -> list[Specialist]:
    """What the report shows of each specialist."""
    made = []
    for path in choices:
        choice, name = read_json(path), Path(path).parent.name
        own = [
            sources.training_run(
                metrics, run["learning_rate"], run["seed"], run["learning_rate"] == choice["learning_rate"]
            )
            for run, metrics in zip(runs, training, strict=True)
            if run["specialist"] == name
        ]
        base = next((readout for readout in own[0].readouts if readout.step == 0), None)
        made.append(Specialist(f"{name} specialist", tuple(own), base, words.CHOICE[choice["criterion"]]))
    return made


def merges_of(merges: dict[str, Row], reports: list[str], choice: Row) -> list[Merge]:
    """What the report shows of each merge."""
    made = []
    for (name, settings), path in zip(merges.items(), reports, strict=True):
        total = {row["name"]: row["value"] for row in read_table(path, MERGE_REPORT) if row["tensor"] == ALL}
        said = ", ".join(f"{key} {value}" for key, value in settings.items() if value is not None)
        dev = choice["merges"][name]
        made.append(sources.merge_of(name, said, total, ("length", "accuracy"), dev, name == choice["chosen"]))
    return made


def base_answers(samples: str, scores: str) -> dict[str, list[sources.Answer]]:
    """The base's greedy answer to each dev problem."""
    pairs = zip(read_table(samples, SAMPLES), read_table(scores, SCORES), strict=True)
    return {sample["problem_id"]: [sources.answer_of("base", sample, score)] for sample, score in pairs}


def pretraining_of(path: str) -> tuple[Extra, ...]:
    """How the embedded base was pretrained: its loss, and what it does on documents that it has not seen."""
    if not path:
        return ()
    rows = read_table(path, PRETRAINING)
    loss = [(float(row["step"]), row["value"]) for row in rows if row["name"] == "train/loss"]
    steps, values = zip(*loss, strict=True)
    held_out = {
        row["name"].removeprefix("held-out/"): row["value"] for row in rows if row["name"].startswith("held-out/")
    }
    lessons = sorted({name.rsplit("/", 1)[0] for name in held_out})
    table = [("lesson", "loss", "tokens predicted right, %")]
    for lesson in lessons:
        right = held_out[f"{lesson}/token_accuracy"]
        table.append((lesson, f"{held_out[f'{lesson}/loss']:.3f}", f"{100 * right:.1f}"))
    chart = Chart("pretraining-loss", "pretraining", "step", "loss", (Line("loss", tuple(steps), tuple(values)),))
    text = "The base was pretrained by the workflow on the embedded language; the table is on unseen documents."
    return (Extra("Pretraining", (text,), (chart,), tuple(table)),)


def cost_of(benchmarks: Path, explored: list[Row], samples: list[str]) -> list[sources.CostRow]:
    """What each rule cost: the time its jobs took, and what they generated."""
    drawn = {
        "recut_explore": explored,
        "evaluate_sample": [row for path in samples for row in read_table(path, SAMPLES)],
    }
    made = []
    for folder in sorted(path for path in benchmarks.iterdir() if path.is_dir()):
        seconds = [row["s"] for path in sorted(folder.rglob("*.jsonl")) for row in read_jsonl(path)]
        made.append(sources.cost_of(folder.name, seconds, drawn.get(folder.name, ())))
    return made


if __name__ == "__main__":
    run(main)
