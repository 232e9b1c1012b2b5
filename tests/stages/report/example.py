"""Reports of made-up methods: a few systems, a chapter with every kind of block, explored problems with nasty texts."""

from __future__ import annotations

from bestpath.core.systems import SystemRow
from bestpath.stages.report.blocks import (
    Bars,
    Bullets,
    Chart,
    Column,
    Curve,
    Estimate,
    Explorer,
    Facts,
    Funnel,
    Heading,
    Line,
    Reject,
    Spread,
    Spreads,
    Step,
    Table,
    Text,
)
from bestpath.stages.report.data import Chapter, CostRow, Lengths, Method, Report, Section
from bestpath.stages.report.explorer import Alternative, Answer, ExploredPath, Round

NASTY = "</script><b>bold</b><img src=x onerror=\"document.title='pwned'\"> & {{ 7 * 7 }} $x^2$ \u2028 'q' \U0001f600"

SYSTEMS = {  # kind, accuracy and tokens: greedy, then sampled; the method's name is said in the label
    "{} prompt": ("prompt", 0.878, 52, 0.62, 50),
    "{} specialist": ("specialist", 0.893, 57, 0.778, 58),
    "{} merge": ("merged", 0.895, 64, 0.835, 66),
    "{} baseline": ("baseline", 0.862, 55, 0.80, 54),
}
BASE = (0.893, 76, 0.832, 68)
DECODINGS = ("greedy", "sampled (T = 0.7)")
MODES = ("long", "short")


def report(*methods: str) -> Report:
    """A report of some methods; the same for the same names."""
    systems = [row for decoding in DECODINGS for row in _systems(methods, decoding)]
    first = methods[0]
    return Report(
        title=f"{' and '.join(methods)}: sums",
        subtitle="seeds 1",
        headline=(f"On 300 problems {first} merge writes 16 % fewer tokens [12, 20] at +0.2 points [-1.1, 1.5].",),
        systems=tuple(systems),
        reference="base",
        methods=tuple(Method(name, name.capitalize(), _chapter(name)) for name in methods),
        verdicts=("alpha prompt: 32 % fewer tokens at -1.5 points: shorter.",),
        decoding_verdicts=("test: sampling costs base 6.1 points of accuracy.",),
        differences=tuple(_differences(systems)),
        lengths=(Lengths("base", (70, 76, 82, 90)), Lengths(f"{first} merge", (40, 62, 70, 75))),
        sections=(Section("Pretraining", (Text(("The base was pretrained.",)),)),),
        cost=(CostRow("draw", 96.0, 240, 12_000, 480_000), CostRow("train", 151.5)),
        provenance=(("torch", "2.13.0"),),
    )


def _systems(methods, decoding):
    at = 2 * DECODINGS.index(decoding)
    yield system("base", "base", methods[0], decoding, BASE[at], BASE[at + 1])
    for method in methods:
        for label, (kind, *values) in SYSTEMS.items():
            yield system(label.format(method), kind, method, decoding, values[at], values[at + 1])


def system(label, kind, method, decoding="greedy", accuracy=0.9, tokens=60.0, **more):
    """A line of the result table, compared with the base unless it is the base."""
    n = 1 if decoding == "greedy" else 4
    fields = {
        "method": method, "system": label, "kind": kind, "variant": "main", "dataset": "test", "decoding": decoding,
        "max_tokens": 160, "problems": 300, "samples": 300 * n, "seeds": 1, "accuracy": accuracy,
        "accuracy_se": 0.02, "accuracy_seed_sd": None, "tokens": tokens, "tokens_se": 1.5, "tokens_seed_sd": None,
        "tokens_median": tokens, "tokens_correct": tokens, "tokens_wrong": tokens, "truncation": 0.004,
        "no_answer": 0.01, "undecided": 0.0, "errors": 0.0,
    }  # fmt: skip
    if kind != "base":
        delta, ratio = accuracy - BASE[0], tokens / BASE[1]
        fields |= {"delta": delta, "delta_low": delta - 0.01, "delta_high": delta + 0.01}
        fields |= {"token_ratio": ratio, "ratio_low": ratio - 0.03, "ratio_high": ratio + 0.03}
    return SystemRow(**(fields | more))


def _differences(systems):
    for decoding in DECODINGS:
        here = [row for row in systems if row.decoding == decoding]
        for i, one in enumerate(here):
            for two in here[:i]:
                names = {"system": one.system, "reference": two.system, "dataset": "test", "decoding": decoding}
                delta, ratio = one.accuracy - two.accuracy, one.tokens / two.tokens
                yield {**names, "metric": "accuracy", "value": delta, "ci_low": delta - 0.02, "ci_high": delta + 0.01}
                yield {**names, "metric": "tokens", "value": ratio, "ci_low": 0.9 * ratio, "ci_high": 1.2 * ratio}


def _chapter(method: str) -> Chapter:
    labels = frozenset(label.format(method) for label in SYSTEMS)
    return Chapter(
        main=f"{method} merge",
        shown=labels,
        headline=(f"{method} keeps its promise.",),
        sections=tuple(_sections()),
        about="variant main",
        warnings=("mean tokens moved by 0.4 %: it hardly learnt a length.",),
        lengths=frozenset({f"{method} merge"}),
    )


def _sections():
    rejects = (Reject("duplicate_question", 7, "the same problem occurs before"), Reject("odd", 2, "odd"))
    steps = (Step("problems read", "problems", 129, 120, rejects), Step("completions", "completions", None, 240))
    yield Section("From problems to pairs", (Text(("What went in.",)), Funnel(steps)), "Funnel")
    curves = (Curve("2e-5", (1, 2, 3), (3.0, 2.0, 1.0), marked=2), Curve("5e-5", (1, 2, 3), (2.0, 1.0, 0.5)))
    table = Table(
        (Column("merge", "Merge"), Column("norm ratio", "Norm", "decimal"), Column("delta", "Points", "points")),
        (
            Line(("mean", 1.0, Estimate(0.02, low=0.01, high=0.03)), "chosen on dev", chosen=True),
            Line(("ties", None, Estimate(-0.02, low=-0.03, high=0.01))),
        ),
        "All merges",
        "merges",
    )
    yield Section(
        "Training",
        (
            Heading("the model"),
            Facts((("training rows", "356"),)),
            Chart("loss", "loss", "step", "loss", curves, ("base", 2.5)),
            Spreads("rewards", "round", "reward", (Spread("long", 1, (-0.2, 0.1)), Spread("short", 1, (0.3,))), MODES),
            Bars("Rounds used", (("1", 5), ("2", 9))),
            Bars("Modes", ((("long", "short"), 4), ("nothing", 1)), MODES, "3 others."),
            table,
            Bullets(("One.", "Two."), "Does it pay?", folded=True),
        ),
    )
    filters = (("solved", "solved"), ("unsolved", "unsolved"))
    yield Section("Path explorer", (Explorer(tuple(_path(i) for i in range(9)), filters, MODES),), "Paths")


def _path(i: int) -> ExploredPath:
    solved = i % 3 != 0
    kept = Alternative("long", "[STEP1]: ", f"add {i}", f"\nrest {NASTY}", 20, "stop", "correct", "5",
                       (("reward", 0.05),), kept=True)  # fmt: skip
    other = Alternative("short", NASTY, tokens=9, finish="length", verdict="no_answer", note="no usable step: none")
    turn = Alternative("planner", "a turn of a dialogue")
    return ExploredPath(
        id=f"train-{i:04}",
        question=f"What is {i} + {5 - i}? {NASTY if i == 0 else ''}",
        gold=None if i == 8 else "5",
        tags=("solved",) if solved else ("unsolved",),
        rounds=(
            Round("Round 1", (kept, other), "long kept", "only the long one is correct"),
            Round("Turn 2", (turn,), "nothing kept", "a turn keeps nothing"),
        ),
        end="The path is complete.",
        summary="solved in 9 tokens" if solved else "unsolved",
        conclusion="The optimal path against base: 50 % fewer tokens" if solved else "Unsolved",
        answers=(
            Answer("optimal path", "best", 9, "correct", "5", "steps kept from: long", best=True),
            Answer("base", f"long-winded {NASTY}", 18, "wrong", "4"),
        ),
    )
