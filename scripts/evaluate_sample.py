"""Answer the problems of one set with one system, under every decoding."""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import chain

from bestpath.core.problems import PROBLEMS
from bestpath.core.search import Sampling
from bestpath.core.tables import read_table
from bestpath.runtime.program import run
from bestpath.stages.evaluation.answering import PLAIN, answerer_of, load_prompts, modules_of
from bestpath.stages.evaluation.tables import SAMPLES
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import by_name, sampling_options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sampling_options(parser, "evaluate_sample")
    parser.add_argument("--part", choices=["dev", "all"], required=True, help="which of the problems")
    parser.add_argument("--answerer", default=PLAIN, help="the search that answers: plain, or module:function")
    parser.add_argument("--prompts", nargs="+", required=True, metavar="NAME=PROMPT")
    parser.add_argument("--options", default="{}", help="settings of the answerer, as JSON")
    parser.add_argument("--decodings", required=True, help="temperature, top_p, top_k and samples by name, as JSON")
    parser.add_argument("--max-tokens", type=int, required=True, help="longest completion")
    parser.add_argument("--label", required=True, help="what the progress is of")
    parser.add_argument("--samples", required=True, help="output: the answers")
    args = parser.parse_args()

    decodings = {}
    for name, values in json.loads(args.decodings).items():
        samples = values.pop("samples")
        decodings[name] = (Sampling(**values, max_tokens=args.max_tokens), samples)
    files = by_name(args.prompts)
    answer, prompts, options = answerer_of(args.answerer), load_prompts(args.answerer, files), json.loads(args.options)
    searches = {
        row["problem_id"]: partial(answer, row, prompts, decodings, args.seed, options)
        for row in read_table(args.problems, PROBLEMS)
        if args.part in {"all", row["split"]}
    }
    inputs = [args.problems, *files.values()]
    job = SearchJob.of("evaluate_sample", args, inputs, args.label, modules=modules_of(args.answerer))
    job.finish(args.samples, SAMPLES, chain.from_iterable(job.run(searches).values()))


if __name__ == "__main__":
    run(main)
