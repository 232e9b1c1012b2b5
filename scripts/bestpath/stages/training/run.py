"""The state of a training run on disk, and what follows from it: readouts, the choice, the metrics, the model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bestpath.core.io import read_json, write_json
from bestpath.core.models import folder_digest, new_folder
from bestpath.core.tables import Row, Table
from bestpath.runtime.progress import progress_stream
from bestpath.stages.training import processes
from bestpath.stages.training.checkpoints import checkpoint, keep_only, seal, whole_steps
from bestpath.stages.training.choice import Criterion, Readout, choose_checkpoint
from bestpath.stages.training.export import change, export
from bestpath.stages.training.health import Warn, preference_warnings, readout_warnings
from bestpath.stages.training.recipe import Recipe

TRAINING = Table("training", {"step": "int64", "name": "string", "value": "float64"}, ("step", "name"))
"""The metrics of a run: one number a row. `train/*` and `dev/*` are TRL's, `readout/*` the dev problems'."""

ReadoutFunction = Callable[[Path, int], Readout]
"""Lets the model of a folder solve the dev problems greedily; the second argument is its step, 0 for the base."""

_LOGGED = frozenset({"loss", "grad_norm", "learning_rate", "mean_token_accuracy"})
_LOGGED |= {f"{kind}/{side}" for kind in ("rewards", "logps") for side in ("chosen", "rejected")}
_LOGGED |= {"rewards/accuracies", "rewards/margins"}


@dataclass(frozen=True)
class Trained:
    """What came of a run: the rows of table `TRAINING`, the readouts by step (0 is the base; empty without a
    readout function), the step that was chosen, and the warnings. Complete on the first process."""

    metrics: list[Row]
    readouts: dict[int, Readout]
    chosen: int
    warnings: list[Warn]


@dataclass(frozen=True)
class Run:
    """One run: what decides its result, the folder `work` with its state, and what its progress is called."""

    recipe: Recipe
    base: Path
    work: Path
    criterion: Criterion
    readout: ReadoutFunction | None
    label: str = "training"

    def prepare(self, data: str) -> None:
        """Take up the state of the same run, if there is one, and remove that of any other."""
        libraries = {name: version(name) for name in ("torch", "transformers", "trl")}
        job: Row = {"criterion": self.criterion, "base": folder_digest(self.base), "data": data}
        job |= {**self.recipe.settings(), **libraries}
        if processes.is_first():
            if not self._is_state_of(job):
                shutil.rmtree(self.work, ignore_errors=True)
                write_json(self.work / "job.json", job)
            for step in (0, *whole_steps(self.work)):
                self._read_out(step)
        processes.wait()

    def _is_state_of(self, job: Row) -> bool:
        """Whether the state on disk is this job's, with the checkpoint that was the best so far."""
        file = self.work / "job.json"
        if not file.is_file() or read_json(file) != job:
            return False
        steps, readouts = whole_steps(self.work), self._readouts()
        if not steps or max(readouts, default=0) == 0:
            return True
        return self._chosen() in steps or self._chosen() > steps[-1]

    def is_finished(self) -> bool:
        """Whether there is a checkpoint of the last step."""
        return bool(whole_steps(self.work)) and self._state()["global_step"] >= self._state()["max_steps"]

    def saved(self, step: int, log: list[Row]) -> None:
        """Seal a checkpoint, read it out, warn, and remove checkpoints that nobody needs any more."""
        seal(checkpoint(self.work, step))
        self._read_out(step)
        metrics = _metrics(log, self._readouts())
        print(f"{self.label}, step {step}: {_summary(metrics, step)}", file=progress_stream())
        for warning in preference_warnings(metrics):
            if warning.step == step:
                print(f"{self.label}: warning: {warning.message}", file=progress_stream())
        # The one before the last is for the case that the last is damaged.
        keep_only(self.work, {*whole_steps(self.work)[-2:], self._chosen()})

    def finish(self, out: Path, rows: int, tokens: int) -> Trained:
        """Export the chosen checkpoint and gather the metrics; `rows` and `tokens` are what was trained on."""
        readouts, chosen = self._readouts(), self._chosen()
        metrics = _metrics(self._state()["log_history"], readouts)
        of_choice = readout_warnings(readouts, chosen, self.criterion)
        warnings = [*preference_warnings(metrics), *of_choice]
        metrics += [_metric(warning.step, f"warning/{warning.name}", 1.0) for warning in warnings]
        metrics.append(_metric(chosen, "chosen", 1.0))
        metrics += [_metric(chosen, "trained/rows", float(rows)), _metric(chosen, "trained/tokens", float(tokens))]
        if processes.is_first():
            with new_folder(out) as folder:
                export(checkpoint(self.work, chosen), self.base, folder, self.recipe)
                moved = change(self.base, folder)
            for warning in of_choice:
                print(f"{self.label}: warning: {warning.message}", file=progress_stream())
            metrics += [_metric(chosen, f"change/{name}", value) for name, value in asdict(moved).items()]
        processes.wait()
        return Trained(metrics, readouts, chosen, warnings)

    def _state(self) -> Row:
        """The trainer's own state at the newest checkpoint."""
        state: Row = read_json(checkpoint(self.work, whole_steps(self.work)[-1]) / "trainer_state.json")
        return state

    def _chosen(self) -> int:
        """The step chosen among the checkpoints so far."""
        readouts = self._readouts()
        if self.criterion == "last" or self.readout is None:
            return whole_steps(self.work)[-1]
        return choose_checkpoint(readouts, readouts[0], self.criterion)

    def _readouts(self) -> dict[int, Readout]:
        file = self.work / "readouts.json"
        if not file.is_file():
            return {}
        readouts = {int(step): Readout(**readout) for step, readout in read_json(file).items()}
        return dict(sorted(readouts.items()))

    def _read_out(self, step: int) -> None:
        """Let the model of a step solve the dev problems, unless it has done so."""
        readouts = self._readouts()
        if self.readout is None or step in readouts:
            return
        folder = self.work / "readout"
        shutil.rmtree(folder, ignore_errors=True)
        if step:
            folder.mkdir()
            export(checkpoint(self.work, step), self.base, folder, self.recipe)
        with processes.alone():
            readouts[step] = self.readout(folder if step else self.base, step)
        shutil.rmtree(folder, ignore_errors=True)
        write_json(self.work / "readouts.json", {str(step): asdict(readout) for step, readout in readouts.items()})


def _metrics(log: Sequence[Row], readouts: Mapping[int, Readout]) -> list[Row]:
    """The rows of `TRAINING` in the trainer's log and in the readouts; nothing that depends on the clock."""
    rows = []
    for entry in log:
        for name, value in entry.items():
            split, plain = ("dev", name.removeprefix("eval_")) if name.startswith("eval_") else ("train", name)
            # At step 0 policy and reference are equal, and which side of a pair is ahead is rounding.
            if plain in _LOGGED and (entry["step"] or plain != "rewards/accuracies"):
                rows.append(_metric(entry["step"], f"{split}/{plain}", value))
    for step, readout in readouts.items():
        values = {**asdict(readout), "standard_error": readout.standard_error}
        rows += [_metric(step, f"readout/{name}", value) for name, value in values.items()]
    return rows


def _metric(step: int, name: str, value: float) -> Row:
    return {"step": step, "name": name, "value": float(value)}


def _summary(metrics: Sequence[Row], step: int) -> str:
    """One line on a checkpoint, for the log of the job."""
    names = ("train/loss", "dev/loss", "dev/rewards/accuracies", "readout/accuracy", "readout/mean_tokens")
    values = {row["name"]: row["value"] for row in metrics if row["step"] == step}
    return ", ".join(f"{name} {values[name]:.4g}" for name in names if name in values)
