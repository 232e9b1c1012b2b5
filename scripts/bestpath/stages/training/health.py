"""Signs of a training that went wrong, or did nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bestpath.core.tables import Row
from bestpath.stages.training.choice import Criterion, Readout, is_admissible


@dataclass(frozen=True)
class Warn:
    """A warning: the step at which it arose, a short name, and a sentence for the user."""

    step: int
    name: str
    message: str


def preference_warnings(metrics: Sequence[Row]) -> list[Warn]:
    """What the evaluations on the dev pairs show: trivial separation, or a falling likelihood of the winners.

    `metrics` are rows of step, name, value; step 0 is the base.
    """
    warnings = []
    accuracy = {row["step"]: row["value"] for row in metrics if row["name"] == "dev/rewards/accuracies"}
    first = min((step for step in accuracy if step > 0), default=None)
    if first is not None and accuracy[first] == 1.0:
        warnings.append(
            Warn(
                first,
                "trivial_separation",
                f"every dev pair is already ranked right at the first evaluation (step {first}); winners and losers "
                "may differ in something trivial, such as their length",
            )
        )
    logps = {row["step"]: row["value"] for row in metrics if row["name"] == "dev/logps/chosen"}
    start = logps.get(0)
    for step in sorted(logps):
        if start is not None and logps[step] - start < -0.3 * abs(start):
            share = (start - logps[step]) / abs(start)
            warnings.append(
                Warn(
                    step,
                    "chosen_logp_fall",
                    f"the log-probability of the winners fell by {share:.0%} (step {step}); lower the learning rate, "
                    "or add an SFT term",
                )
            )
            break
    return warnings


def readout_warnings(readouts: Mapping[int, Readout], chosen: int, criterion: Criterion) -> list[Warn]:
    """What the chosen checkpoint's readout shows: a length that did not move, or a model worse than its base."""
    if chosen not in readouts or 0 not in readouts:
        return []
    base, model = readouts[0], readouts[chosen]
    moved = model.mean_tokens / base.mean_tokens - 1
    warnings = []
    if criterion != "accuracy" and abs(moved) < 0.02:
        warnings.append(
            Warn(
                chosen,
                "length_unchanged",
                f"the mean length on the dev problems moved by {moved:+.1%} only; raise the learning rate",
            )
        )
    if not is_admissible(model, base):
        warnings.append(
            Warn(
                chosen,
                "less_accurate",
                f"the chosen checkpoint is less accurate on the dev problems than the base by more than one standard "
                f"error ({model.accuracy:.3f}, base {base.accuracy:.3f}); lower the learning rate",
            )
        )
    return warnings
