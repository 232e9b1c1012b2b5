"""The training sets of the supervised baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bestpath.core.rejects import Rejects
from bestpath.core.tables import Row
from bestpath.core.training_rows import TrainPrompt, answer_turn, turns
from bestpath.methods.recut.candidates import pools_of


def shortest(optimal: Iterable[Row], prompt: TrainPrompt, max_length: int) -> tuple[list[Row], Rejects]:
    """SFT-shortest: the optimal path of every solved problem.

    Rejects `unsolved` problems and what is `over_max_length` (tokens of prompt and completion together).
    """
    return _rows("sft.shortest", optimal, lambda path: [path], prompt, max_length)


def rejection_sampling(
    optimal: Iterable[Row], candidates: Iterable[Row], prompt: TrainPrompt, max_length: int
) -> tuple[list[Row], Rejects]:
    """Rejection-sampling SFT: every correct candidate, meant for whole samples (`explore.sample_whole`).

    Rejects as `shortest` does; a reject with a `sample_id` is a candidate, one without a problem.
    """
    pools = pools_of(candidates)

    def correct(path: Row) -> list[Row]:
        return [c for c in pools[path["problem_id"]] if c["verdict"] == "correct"]

    return _rows("sft.rejection_sampling", optimal, correct, prompt, max_length)


def _rows(
    stage: str,
    optimal: Iterable[Row],
    winners: Callable[[Row], Sequence[Row]],
    prompt: TrainPrompt,
    max_length: int,
) -> tuple[list[Row], Rejects]:
    rows: list[Row] = []
    rejects = Rejects(stage)
    for path in optimal:
        problem_id = path["problem_id"]
        if not path["solved"]:
            rejects.add(problem_id, "unsolved")
            continue
        messages = prompt.messages(path["question"])
        room = max_length - prompt.count(messages)
        fitting = [c for c in winners(path) if c["n_tokens"] <= room]
        for candidate in winners(path):
            if candidate["n_tokens"] > room:
                rejects.add(problem_id, "over_max_length", sample_id=candidate["candidate_id"])
        if not fitting:
            rejects.add(problem_id, "over_max_length")
        rows += [
            {
                "problem_id": problem_id,
                "prompt": turns(messages),
                "completion": answer_turn(candidate["text"]),
                "candidate_id": candidate["candidate_id"],
                "n_tokens": candidate["n_tokens"],
            }
            for candidate in fitting
        ]
    return rows, rejects
