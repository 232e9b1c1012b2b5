"""Write the report of an experiment: one page, its figures, its tables, and a summary for the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from bestpath.core.io import atomic_path
from bestpath.core.provenance import code_digest
from bestpath.core.systems import SystemRow
from bestpath.core.tables import made_from
from bestpath.runtime.program import run
from bestpath.stages.embedded.tables import PRETRAINING
from bestpath.stages.evaluation import verdicts
from bestpath.stages.evaluation.result_tables import terminal
from bestpath.stages.evaluation.results import read_results
from bestpath.stages.evaluation.tables import DIFFERENCES, SCORES
from bestpath.stages.report.cost import cost_of
from bestpath.stages.report.data import Lengths, Method, Report
from bestpath.stages.report.folder import write_report
from bestpath.stages.report.manifest import Entry, Files, Manifest, read_manifest
from bestpath.stages.report.sources import lengths_of
from bestpath.stages.report.training import pretraining_section

LIBRARIES = ("torch", "transformers", "trl", "mergekit", "snakemake")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", required=True, help="what the report is of, as JSON or in a file of that name")
    parser.add_argument("--report", type=Path, required=True, help="output: the report's folder")
    args = parser.parse_args()

    manifest = read_manifest(args.manifest)
    results = read_results(manifest.files.one("results").path)
    methods = tuple(
        Method(
            teller.name,
            teller.title,
            import_module(teller.report).chapter(teller.files, results, manifest.reference),
        )
        for teller in manifest.methods
    )
    report = report_of(manifest, results, methods)
    write_report(report, args.report)
    told = {manifest.reference}.union(*(method.chapter.shown | method.chapter.listed for method in methods))
    lines = [terminal([row for row in results if row.system in told]), ""]
    for method in methods:
        lines += [f"{method.title}:"] if len(methods) > 1 else []
        lines += [*method.chapter.headline, ""]
    with atomic_path(args.report / "summary.txt") as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def report_of(manifest: Manifest, results: Sequence[SystemRow], methods: tuple[Method, ...]) -> Report:
    """The report: all methods side by side, and their chapters.

    With one method its headline opens the page; with several, a sentence on what each ends with, against the base under
    its own plain prompt.
    """
    shown = {manifest.reference}.union(*(method.chapter.shown for method in methods))
    compared = [row for row in results if row.system in shown]
    differences = tuple(row for entry in manifest.files.of("differences") for row in entry.rows(DIFFERENCES))
    by_own_base = verdicts.against_own_base(compared, differences)
    about = [methods[0].chapter.about] if len(methods) == 1 else []
    if len(methods) == 1:
        headline = methods[0].chapter.headline
    else:
        headline = tuple(verdicts.headline(by_own_base, method.chapter.main)[0] for method in methods)
    return Report(
        title=f"{' and '.join(method.title for method in methods)}: {manifest.experiment}",
        subtitle="; ".join([*about, f"seeds {', '.join(map(str, manifest.seeds))}"]),
        headline=headline,
        systems=tuple(compared),
        reference=manifest.reference,
        methods=methods,
        by_own_base=tuple(by_own_base),
        verdicts=tuple(verdicts.verdicts(compared)),
        decoding_verdicts=tuple(verdicts.decoding_verdicts(compared)),
        differences=differences,
        lengths=tuple(lengths(manifest.files, results[0].dataset, manifest.reference, methods)),
        sections=tuple(pretraining_section(entry.rows(PRETRAINING)) for entry in manifest.files.of("pretraining")),
        cost=cost_of(manifest.benchmarks, manifest.all_files),
        provenance=(
            *((name, version(name)) for name in LIBRARIES),
            ("results of earlier code", ", ".join(accepted(manifest.all_files)) or "none"),
        ),
    )


def lengths(files: Files, dataset: str, reference: str, methods: Iterable[Method]) -> Iterable[Lengths]:
    """The lengths of the systems whose lengths are drawn, all repetitions of one together."""
    drawn = {reference}.union(*(method.chapter.lengths for method in methods))
    pooled: dict[str, tuple[int, ...]] = {}
    for entry in files.of("scores", dataset=dataset):
        if entry["system"] in drawn:
            pooled[entry["system"]] = pooled.get(entry["system"], ()) + lengths_of(entry.rows(SCORES))
    return [Lengths(system, tokens) for system, tokens in pooled.items() if tokens]


def accepted(entries: Iterable[Entry]) -> list[str]:
    """The programs whose tables are older than their code: `make accept` declared them current."""
    tables = [made_from(entry.path) for entry in entries if entry.path.suffix == ".parquet"]
    older = {
        origin["program"]
        for origin in tables
        if origin["code"] != code_digest(origin["program"], *origin["modules"].split())
    }
    return sorted(older)


if __name__ == "__main__":
    run(main)
