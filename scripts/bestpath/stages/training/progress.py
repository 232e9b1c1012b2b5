"""Progress of a run: a bar, files for a watcher, the moments at which a checkpoint is due, and an early stop.

Heavy: imports torch and transformers, like `trainers`.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from bestpath.core.errors import UserError
from bestpath.core.io import write_json
from bestpath.core.tables import Row
from bestpath.runtime.progress import progress_bar
from bestpath.stages.training import processes
from bestpath.stages.training.checkpoints import STOPPED, checkpoint, seal


class Watch(TrainerCallback):
    """Shows progress, asks for the checkpoints, and hands each over as soon as it is written.

    `saved(step, log)` is called on the first process; the random state is as it was before. SIGTERM, the way of
    schedulers to announce the end, stops the run after the step that is under way, with a checkpoint to go on from.
    """

    def __init__(
        self, label: str, work: Path, checkpoints: int, saved: Callable[[int, list[Row]], None], *, has_dev: bool
    ) -> None:
        self._label, self._work, self._checkpoints = label, work, checkpoints
        self._saved, self._has_dev = saved, has_dev
        self._steps: frozenset[int] = frozenset()
        self._shown = 0.0
        self._told_to_stop = self._stops = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock; logs of steps that will be trained again are dropped from the file."""
        self._steps = checkpoint_steps(state.max_steps, self._checkpoints)
        self._started, self._first = time.monotonic(), state.global_step
        self._bar = progress_bar(self._label, "step", state.max_steps, state.global_step)
        if state.is_world_process_zero:
            lines = [json.dumps(entry) + "\n" for entry in state.log_history]
            (self._work / "log.jsonl").write_text("".join(lines), encoding="utf-8")
        self._listen()

    def _listen(self) -> None:
        def stop(number: int, frame: object) -> None:
            self._told_to_stop = True

        signal.signal(signal.SIGTERM, stop)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for an evaluation and a checkpoint where one is due."""
        control.should_save = state.global_step in self._steps
        control.should_evaluate = control.should_save and self._has_dev
        self._stops = processes.any_of(self._told_to_stop)
        if self._stops and not control.should_save:  # outside of the schedule, and so of the choice
            args.output_dir = str(self._work / STOPPED)
            control.should_save = True
        self._bar.update()
        if state.is_world_process_zero and (control.should_save or time.monotonic() - self._shown > 2):
            self._shown = time.monotonic()
            spent = self._shown - self._started
            left = spent / (state.global_step - self._first) * (state.max_steps - state.global_step)
            progress = {"step": state.global_step, "total": state.max_steps, "seconds": spent, "seconds_left": left}
            write_json(self._work / "progress.json", progress)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Append to the log; a loss that is not a number ends the run."""
        entry = state.log_history[-1]
        if state.is_world_process_zero:
            with (self._work / "log.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
        if not math.isfinite(entry.get("loss", 0.0)):
            raise UserError(f"the training loss is {entry['loss']} at step {entry['step']}; lower the learning rate")
        shown = {name: f"{entry[name]:.3g}" for name in ("loss", "rewards/margins") if name in entry}
        self._bar.set_postfix(shown or None, refresh=False)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Hand the new checkpoint over, once all processes have written their part of it; or stop with it."""
        processes.wait()
        if self._stops:
            if state.is_world_process_zero:
                seal(checkpoint(Path(args.output_dir), state.global_step))
            processes.wait()
            raise UserError(
                f"{self._label} was told to stop (SIGTERM) at step {state.global_step} of {state.max_steps}; its state "
                "is saved, and the same run goes on from there when it is started again"
            )
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the readout loses nothing when it is killed
        if state.is_world_process_zero:
            with random_state_kept():
                self._saved(state.global_step, state.log_history)
            shutil.rmtree(self._work / STOPPED, ignore_errors=True)
        processes.wait()
        self._listen()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the bar; nothing is left to stop."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._bar.close()


def checkpoint_steps(total: int, checkpoints: int) -> frozenset[int]:
    """`checkpoints` steps spread evenly over a run, the last of them its end; fewer when the run is that short."""
    return frozenset(max(1, round(total * i / checkpoints)) for i in range(1, checkpoints + 1))


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the random state of Python, NumPy and torch as it was, whatever is drawn inside."""
    states = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])
