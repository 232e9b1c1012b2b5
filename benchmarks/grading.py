"""How many rows a second the grader decides, against a plain loop over math-verify in one process.

The rows are the reference solutions of MATH and variations of them, graded against their gold answers:

- `solutions`: the solutions as they are, each once;
- `samples`: eight completions a problem, as a model samples them: five end in the right answer in one of several
  spellings, three in a wrong one (an answer of another problem);
- `unique`: per problem three wrong answers, and the right one in a form that only algebra can recognise (or, where the
  answer is no single value, in another spelling); no pair of answer and gold occurs twice.

The plain loop is `verify(parse(gold), parse(text))` for every row, which is how math-verify is used. It gets a random
part of the rows when it would take too long. The grader starts from nothing each time: its worker processes and their
imports are part of its time, and so is reading the answers from the texts.

    python benchmarks/grading.py [--data ../shared/data]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from bestpath.answers.extraction import boxes  # noqa: E402
from bestpath.answers.grading import Grader  # noqa: E402
from bestpath.core.search import Grade  # noqa: E402

PLAIN_S = 40.0


@dataclass(frozen=True)
class Row:
    text: str
    gold: str
    right: bool


def ending_in(problem: dict[str, str], answer: str, right: bool) -> Row:
    """The reference solution of a problem with another answer in its box."""
    text = problem["solution"]
    [(start, content)] = boxes(text)
    old = text[start : text.index("{", start)] + f"{{{content}}}"
    return Row(text.replace(old, f"\\boxed{{{answer}}}"), problem["answer"], right)


def digits(answer: str) -> str:
    return re.sub(r"\D", "", answer) or answer


def spellings(answer: str) -> list[str]:
    """Five ways to write the same answer."""
    return [
        answer,
        answer.replace("\\frac", "\\dfrac"),
        f" {answer} ",
        re.sub(r"^\\frac\{(\d+)\}\{(\d+)\}$", r"\1/\2", answer),
        re.sub(r"^(-?\d+)$", r"\1.0", answer),
    ]


def in_need_of_algebra(answer: str) -> str:
    """An equal answer that has to be calculated, if the answer is a single value."""
    is_value = re.fullmatch(r"[\d+\-. ]*(?:\\(?:d?frac|sqrt|pi)[\d{} +\-]*)*", answer)
    return f"{answer} + \\sqrt{{8}} - 2\\sqrt{{2}}" if is_value else spellings(answer)[1]


def workloads(data: Path, seed: int) -> dict[str, list[Row]]:
    lines = (data / "math_train_sample.jsonl").read_text(encoding="utf-8").splitlines()
    problems = [json.loads(line) for line in lines]
    answers = sorted({problem["answer"] for problem in problems if "%" not in problem["answer"]})
    draw = random.Random(seed)
    samples, unique = [], {}
    for problem in problems:
        gold = problem["answer"]
        mistakes = draw.sample([answer for answer in answers if digits(answer) != digits(gold)], 3)
        samples += [ending_in(problem, answer, True) for answer in spellings(gold)]
        samples += [ending_in(problem, draw.choice(mistakes[:2]), False) for _ in range(3)]
        for mistake in mistakes:
            unique[mistake, gold] = ending_in(problem, mistake, False)
        algebra = in_need_of_algebra(gold)
        unique[algebra, gold] = ending_in(problem, algebra, True)
    draw.shuffle(samples)
    solutions = [Row(problem["solution"], problem["answer"], True) for problem in problems]
    return {"solutions": solutions, "samples": samples, "unique": list(unique.values())}


def plain_loop(rows: list[Row]) -> tuple[float, float]:
    """Rows a second, and the share of rows judged right."""
    from math_verify import parse, verify

    parse("$1$")
    n_right = n = 0
    start = time.perf_counter()
    for row in random.Random(0).sample(rows, len(rows)):
        n_right += bool(verify(parse(f"${row.gold}$"), parse(row.text))) is row.right
        n += 1
        if time.perf_counter() - start > PLAIN_S:
            break
    return n / (time.perf_counter() - start), n_right / n


def grader(rows: list[Row]) -> tuple[float, float]:
    """Rows a second, and the share of rows judged right."""
    start = time.perf_counter()
    with Grader() as grader:
        verdicts = grader.grade([Grade(row.text, row.gold) for row in rows])
        seconds = time.perf_counter() - start
    n_right = sum((verdict.outcome == "correct") is row.right for row, verdict in zip(rows, verdicts, strict=True))
    return len(rows) / seconds, n_right / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of real data")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    print(f"{len(os.sched_getaffinity(0))} CPU cores\n")
    print("| workload | rows | math-verify, rows/s | Grader, rows/s | ratio | judged right, math-verify / Grader |")
    print("|---|---|---|---|---|---|")
    for name, rows in workloads(args.data, args.seed).items():
        fast, fast_right = grader(rows)
        plain, plain_right = plain_loop(rows)
        shares = f"{plain_right:.1%} / {fast_right:.1%}"
        print(f"| {name} | {len(rows)} | {plain:.0f} | {fast:.0f} | {fast / plain:.0f} x | {shares} |", flush=True)


if __name__ == "__main__":
    main()
