"""Make the next training set of GSI from the graded draws of both phases."""

from __future__ import annotations

import argparse
import json

from bestpath.core import prompts
from bestpath.core.io import read_jsonl, write_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.provenance import origin_of
from bestpath.core.rejects import REJECTS
from bestpath.core.tables import read_table, read_tables, write_table
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.select import SelectRules, select, signed, within_tokens
from bestpath.methods.gsi.tables import GRADED, QUESTIONS, SAMPLED
from bestpath.runtime.program import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--plain", nargs="+", required=True, help="graded plain answers")
    parser.add_argument("--guided", nargs="*", default=[], help="graded guided answers")
    parser.add_argument("--paid", nargs="*", default=[], help="guided answers whose tokens are the budget")
    parser.add_argument("--further", nargs="*", default=[], help="training sets to mix in")
    parser.add_argument("--prompt", required=True, help="the plain prompt")
    parser.add_argument("--writer", required=True, help="the model that drew")
    parser.add_argument("--teacher", nargs="?", help="the model that taught, if any")
    parser.add_argument("--rules", required=True, help="settings of the selection, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--train", required=True, help="output: training rows")
    parser.add_argument("--sampled", required=True, help="output: what became of every draw")
    parser.add_argument("--questions", required=True, help="output: what became of every question")
    parser.add_argument("--rejects", required=True, help="output: the draws that are not trained on")
    args = parser.parse_args()

    rules = SelectRules.of(json.loads(args.rules), args.seed)
    pool = [row for row in read_table(args.problems, PROBLEMS) if row["split"] == "train"]
    graded = read_tables([*args.plain, *args.guided], GRADED)
    if args.paid:
        paid = read_tables(args.paid, GRADED)
        graded = within_tokens(graded, sum(row["n_tokens"] + row["teacher_tokens"] for row in paid))
    further = [row for path in args.further for row in read_jsonl(path)]
    selection = select(pool, graded, prompts.load(args.prompt, PROMPT_FIELDS["plain"]), rules, further)
    inputs = [args.problems, *args.plain, *args.guided, *args.paid, *args.further, args.prompt]
    origin = origin_of("gsi_select", vars(args), inputs)
    write_jsonl(args.train, signed(selection.rows, pool, args.writer, args.teacher or ""))
    write_table(args.sampled, SAMPLED, selection.sampled, origin.digests)
    write_table(args.questions, QUESTIONS, selection.questions, origin.digests)
    write_table(args.rejects, REJECTS, selection.rejects.rows, origin.digests)


if __name__ == "__main__":
    run(main)
