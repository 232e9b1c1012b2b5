"""Let the base say how probable it finds the completions of a training set."""

from __future__ import annotations

import argparse
from functools import partial
from itertools import chain

from bestpath.core.io import read_jsonl
from bestpath.methods.gsi.perplexity import perplexity
from bestpath.methods.gsi.tables import PERPLEXITIES
from bestpath.runtime.program import run
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import model_options, work_option


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="training rows")
    model_options(parser)
    work_option(parser, "gsi_perplexity")
    parser.add_argument("--perplexities", required=True, help="output: one number a row")
    args = parser.parse_args()

    job = SearchJob.of("gsi_perplexity", args, [args.train], "perplexity", scorers={"base": "likelihood"})
    rows = ({**row, "row": number} for number, row in enumerate(read_jsonl(args.train)))
    found = job.run({str(row["row"]): partial(perplexity, row) for row in rows})
    job.finish(args.perplexities, PERPLEXITIES, chain.from_iterable(found.values()))


if __name__ == "__main__":
    run(main)
