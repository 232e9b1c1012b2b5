"""The report's tables as plain rows, for CSV and Markdown files. (The result table is the evaluation's.)"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from bestpath.stages.report.data import ReportData
from bestpath.stages.report.words import in_words

Value = str | int | float | None


@dataclass(frozen=True)
class PlainTable:
    """A table with its file name."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def csv(self) -> str:
        """As CSV; what does not exist is empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.headings)
        writer.writerows(self.rows)
        return stream.getvalue()

    def markdown(self) -> str:
        """As a Markdown table."""
        from tabulate import tabulate

        rows = [["" if value is None else str(value).replace("|", "\\|") for value in row] for row in self.rows]
        return tabulate(rows, self.headings, tablefmt="pipe", disable_numparse=True) + "\n"


def tables(data: ReportData) -> list[PlainTable]:
    """All tables of a report that have rows."""
    made = [
        PlainTable(
            "funnel",
            ("step", "unit", "in", "out", "rejected", "unaccounted"),
            tuple((s.label, s.unit, s.n_in, s.n_out, sum(n for _, n in s.rejects), s.lost) for s in data.funnel),
        ),
        PlainTable(
            "rejects",
            ("step", "reason", "count", "meaning"),
            tuple((s.label, reason, n, in_words(reason)) for s in data.funnel for reason, n in s.rejects),
        ),
        PlainTable(
            "rewards",
            ("round", "mode", "kept", "mean reward"),
            tuple(
                (c.round, c.mode, len(c.rewards), round(sum(c.rewards) / len(c.rewards), 6)) for c in data.rewards
            ),
        ),
        PlainTable(
            "training",
            ("specialist", "learning rate", "seed", "step", "dev accuracy", "dev accuracy SE", "dev tokens", "chosen"),
            tuple(
                (s.name, run.learning_rate, run.seed, r.step, round(r.accuracy, 6), round(r.accuracy_se, 6),
                 round(r.tokens, 3), "yes" if r.step == run.chosen_step else "")
                for s in data.specialists for run in s.runs for r in run.readouts
            ),
        ),
        PlainTable(
            "merges",
            ("merge", "settings", "dev accuracy", "dev tokens", "cosine", "sign agreement", "norm ratio",
             "changed", "chosen"),
            tuple(
                (m.name, m.settings, m.dev_accuracy, m.dev_tokens, m.cosine, m.sign_agreement, m.norm_ratio,
                 m.changed, "yes" if m.chosen else "")
                for m in data.merges
            ),
        ),
        PlainTable(
            "variants",
            ("variant", "differs", "ends with", "accuracy", "delta", "delta low", "delta high", "tokens",
             "token ratio", "completions", "solved", "training rows"),
            tuple(
                (v.name, v.differs, v.system.system, *map(_rounded, (v.system.accuracy, v.system.delta,
                 v.system.delta_low, v.system.delta_high, v.system.tokens, v.system.token_ratio)),
                 v.completions, v.solved, v.training)
                for v in data.variants
            ),
        ),
        PlainTable(
            "cost",
            ("stage", "seconds", "generations", "generated tokens", "prompt tokens"),
            tuple((c.stage, c.seconds, c.generations, c.generated, c.prompt) for c in data.cost),
        ),
        PlainTable(
            "suspect_gold",
            ("problem", "question", "gold answer", "candidates say", "candidates"),
            tuple((s.problem_id, s.question, s.gold, s.candidates_say, s.n) for s in data.suspects),
        ),
    ]  # fmt: skip
    return [table for table in made if table.rows]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
