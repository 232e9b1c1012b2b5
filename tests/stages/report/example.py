"""A whole report's worth of data: a world of sums solved by made-up systems, explored by ReCUT's real search."""

from __future__ import annotations

import random
import re

from bestpath.core.prompts import Prompt
from bestpath.core.search import Completion, Generate, Verdict
from bestpath.methods.recut.candidates import collect
from bestpath.methods.recut.explore import STEPWISE_FIELDS, ExploreRules, explore
from bestpath.methods.recut.optimal import select, suspect_gold
from bestpath.stages.evaluation.results import Run, results_of, wide_row
from bestpath.stages.evaluation.verdicts import decoding_verdicts, headline, merge_verdicts, verdicts
from bestpath.stages.report.data import (
    Answer,
    Chart,
    CostRow,
    Extra,
    FunnelStep,
    Lengths,
    Line,
    Merge,
    Readout,
    ReportData,
    Specialist,
    Suspect,
    SystemRow,
    TrainingRun,
)
from bestpath.stages.report.paths import paths_of
from bestpath.stages.report.trials import exploration_of, rewards_of
from bestpath.stages.report.words import CHOICE

NASTY = "</script><b>bold</b><img src=x onerror=\"document.title='pwned'\"> & {{ 7 * 7 }} $x^2$ \u2028 'q' \U0001f600"

SYSTEMS = {  # kind, accuracy and tokens: greedy, then sampled
    "base": ("base", 0.893, 76, 0.832, 68),
    "base, short prompt": ("prompt", 0.878, 52, 0.62, 50),
    "base, chain-of-draft prompt": ("prompt", 0.846, 47, 0.60, 46),
    "length specialist": ("specialist", 0.893, 57, 0.778, 58),
    "accuracy specialist": ("specialist", 0.895, 76, 0.823, 67),
    "SFT on the shortest": ("baseline", 0.862, 55, 0.80, 54),
    "merged: linear-0.25": ("merged", 0.895, 74, 0.835, 66),
    "merged: linear-0.5": ("merged", 0.893, 62, 0.838, 63),
    "merged: linear-0.75": ("merged", 0.885, 59, 0.80, 60),
    "merged: ties": ("merged", 0.878, 66, 0.803, 60),
    "merged: dare_ties": ("merged", 0.865, 56, 0.798, 58),
}


def report(seed: int = 7, problems: int = 120, tests: int = 300) -> ReportData:
    """Everything at once; the same for the same arguments."""
    rng = random.Random(seed)
    runs = list(_runs(rng, tests))
    results = results_of(runs, seed=1, resamples=400)
    questions = [_problem(rng, i) for i in range(problems)]
    trials = [row for question in questions for row in _explored(question, seed)]
    candidates, rejects = collect(trials, count)
    optimal = select(questions, candidates)
    solved = sum(row["solved"] for row in optimal)
    final = "merged: linear-0.5"
    return ReportData(
        title="ReCUT on the embedded world",
        subtitle="Shorter reasoning through stepwise exploration, two specialists and a merge",
        answer=tuple(headline(results, final)),
        systems=tuple(SystemRow(**wide_row(result)) for result in results),
        final=final,
        settings=(("base model", "embedded, 1.1 M parameters"), ("rounds", "8"), ("temperature", "0.7")),
        verdicts=tuple(verdicts(results)),
        merge_verdicts=tuple(merge_verdicts(results)),
        decoding_verdicts=tuple(decoding_verdicts(results)),
        warnings=("accuracy specialist: mean tokens moved by 0.4 %, less than 2 %: it hardly learnt a length.",),
        lengths=tuple(
            Lengths(run.system, run.kind, tuple(row["n_tokens"] for row in run.scores))
            for run in runs
            if run.decoding == "greedy" and run.system in ("base", "length specialist", "accuracy specialist", final)
        ),
        funnel=(
            FunnelStep(
                "problems read", "problems", problems + 9, problems, (("duplicate_question", 7), ("contaminated", 2))
            ),
            FunnelStep("completions drawn", "completions", None, len(trials), note="two a round"),
            FunnelStep("candidates", "completions", len(trials), len(candidates), tuple(rejects.counts().items())),
            FunnelStep("problems solved", "problems", problems, solved, (("unsolved", problems - solved),)),
            FunnelStep("length pairs", "problems", solved, solved - 20, (("no_longer_correct", 20),)),
            FunnelStep("accuracy pairs", "problems", solved, solved - 48, (("no_wrong", 45), ("ambiguous_wrong", 3))),
        ),
        exploration=exploration_of(trials, optimal, count),
        rewards=rewards_of(trials),
        specialists=tuple(_specialist(rng, name) for name in ("length", "accuracy")),
        merges=(
            Merge("linear-0.5", "linear, share 0.5", 0.891, 63.0, 0.18, 0.561, 1.0, 0.997, chosen=True),
            Merge("ties", "ties, density 1, weights 0.5", 0.880, 66.2, 0.18, 0.561, 1.24, 0.998),
            Merge("dare_ties", "dare_ties, density 0.25, weights 0.25", 0.862, 56.4, 0.18, 0.561, 3.1, 0.43),
        ),
        extras=(
            Extra(
                "Rounds",
                ("Fewer rounds of the same trace.",),
                (
                    Chart(
                        "rounds", "solved by rounds", "rounds R", "solved, %",
                        (Line("stepwise", (1, 2, 4, 8), (71, 80, 90, 94), (68, 77, 88, 92), (74, 83, 92, 96)),),
                    ),
                ),
                (("R", "solved"), ("1", "71"), ("2", "80"), ("4", "90"), ("8", "94")),
            ),
        ),
        paths=paths_of(trials, questions, optimal, {q["problem_id"]: _answers(rng, q) for q in questions}),
        suspects=tuple(
            Suspect(s["problem_id"], s["question"], s["answer"], s["candidates_say"], s["n_candidates"])
            for s in [*suspect_gold(optimal, candidates), _doubtful(questions[0])]
        ),
        cost=(
            CostRow("embedded_base", 412.0),
            CostRow("recut_explore", 96.0, len(trials), sum(row["n_tokens"] for row in trials), 480_000),
            CostRow("train", 151.5),
            CostRow("merge", 12.0),
            CostRow("evaluate", 230.2, len(runs) * tests, 1_400_000, 900_000),
        ),
        provenance=(("torch", "2.13.0"), ("settings", "9f86d081884c7d65"), ("seed", "42")),
    )  # fmt: skip


def count(text: str) -> int:
    """Tokens: words, numbers and signs."""
    return len(re.findall(r"\w+|[^\w\s]", text)) + 1


def _runs(rng, tests):
    for decoding, at, samples in (("greedy", 1, 1), ("sampled (T = 0.7)", 3, 4)):
        for system, facts in SYSTEMS.items():
            kind, accuracy, tokens = facts[0], facts[at], facts[at + 1]
            scores = [_score(rng, i, j, accuracy, tokens) for i in range(tests) for j in range(samples)]
            yield Run(system, kind, "test", decoding, 160, scores)


def _score(rng, problem, sample, accuracy, tokens):
    hard = (problem * 7919 % 101) / 101
    right = rng.random() < min(1.0, max(0.0, accuracy + 0.6 * (0.5 - hard)))
    length = 160 if rng.random() < 0.004 else max(12, round(rng.gauss(tokens * (0.8 + 0.4 * hard), tokens * 0.12)))
    return {
        "problem_id": f"t{problem:04}",
        "sample_id": f"t{problem:04}.{sample}",
        "answer": "1",
        "verdict": "correct" if right else rng.choice(["wrong", "wrong", "wrong", "no_answer"]),
        "rule": "boxed",
        "n_tokens": length,
        "finish_reason": "length" if length == 160 else "stop",
    }


def _problem(rng, i):
    numbers = [rng.randint(2, 60) for _ in range(rng.randint(3, 5) + 1)]
    text = f"Ann has {numbers[0]} pears. " + " ".join(f"She picks {n} more." for n in numbers[1:])
    gold = sum(numbers) + (1 if i % 40 == 3 else 0)  # a few gold answers are wrong
    return {
        "problem_id": f"train-{i:04}",
        "dataset": "sums",
        "question": text + " How many pears has she?" + (f" {NASTY}" if i % 10 == 0 else ""),
        "answer": str(gold),
        "kind": "number",
        "choices": None,
        "solution": None,
        "level": len(numbers) - 1,
        "split": "train",
    }


PROMPTS = {
    mode: Prompt(mode, mode + "|{{ step }}|{{ problem }}|{{ previous }}", frozenset(STEPWISE_FIELDS))
    for mode in ("long", "short")
}


def _explored(problem, seed):
    search = explore(problem, ExploreRules(seed=seed, max_tokens=90), PROMPTS)
    requests = next(search)
    while True:
        try:
            requests = search.send([_reply(request) for request in requests])
        except StopIteration as stop:
            return stop.value


def _reply(request):
    if isinstance(request, Generate):
        return _complete(request)
    found = re.findall(r"\\boxed\{(.*?)\}", request.text)
    if not found:
        return Verdict("no_answer")
    return Verdict("correct" if found[-1] == request.gold else "wrong", found[-1], "boxed")


def _complete(request: Generate) -> Completion:
    """Add up step by step, now and then wrongly, without markers, or without an end."""
    rng = random.Random(request.seed)
    mode, step, problem, previous = request.messages[0].content.split("|", 3)
    numbers = [int(n) for n in re.findall(r"has (\d+)|picks (\d+)", problem) for n in n if n]
    done = int(step) - 1
    sums = re.findall(r"= (\d+)", previous)
    total = int(sums[-1]) if sums else numbers[0]
    lines = []
    for i, number in enumerate(numbers[done + 1 :], start=done + 1):
        result = total + number + (rng.choice((-10, 1, 10)) if rng.random() < 0.12 else 0)
        check = f" Check: {result} - {number} = {result - number}." if mode == "long" else ""
        marker = f"[STEP{i}]:" if rng.random() > 0.04 else f"{i}."
        lines.append(f"{marker} {total} + {number} = {result}.{check}" + (f" {NASTY}" if rng.random() < 0.05 else ""))
        total = result
    lines.append(f"Final answer: \\boxed{{{total}}}")
    text = "\n".join(lines)
    if rng.random() < 0.04:
        return Completion(text[: len(text) // 2], 90, 60, "length")
    return Completion(text, count(text), 60, "stop")


def _doubtful(problem):
    return {**problem, "candidates_say": NASTY, "n_candidates": 9}


def _answers(rng, problem):
    text = f"[STEP1]: all at once\nFinal answer: \\boxed{{{problem['answer']}}} {NASTY}"
    verdict, answer = ("correct", problem["answer"]) if rng.random() < 0.8 else ("wrong", "0")
    return (
        Answer("base, greedy", text, rng.randint(50, 110), verdict, answer),
        Answer("merged: linear-0.5, greedy", text, rng.randint(30, 70), "correct", problem["answer"]),
    )


def _specialist(rng, name):
    runs = []
    for rate in (1e-5, 2e-5, 5e-5):
        speed = rate * 1e5
        steps = range(1, 25)
        loss = tuple((s, 0.693 * 2.7 ** (-speed * s / 60) + rng.gauss(0, 0.01)) for s in steps)
        dev_loss = tuple((s, 0.693 * 2.7 ** (-speed * s / 90)) for s in (0, 6, 12, 18, 24))
        margin = tuple((s, speed * s / 30 + rng.gauss(0, 0.05)) for s in steps)
        readouts = tuple(
            Readout(s, 0.89 - 0.003 * speed * s / 12, 0.02, (76 - (speed * s / 4 if name == "length" else 0)))
            for s in (6, 12, 18, 24)
        )
        runs.append(TrainingRun(rate, 1, loss, dev_loss, margin, readouts, 18 if rate == 2e-5 else None))
    facts = (("pairs", "356 for training, 40 for dev"), ("winner / loser", "48 / 75 tokens"), ("loss", "DPO"))
    return Specialist(f"{name} specialist", tuple(runs), Readout(0, 0.893, 0.02, 76.0), CHOICE[name], facts)
