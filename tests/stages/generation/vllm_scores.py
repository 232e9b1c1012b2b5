"""Scores chats with vLLM, in the environment that has it: JSON in on stdin, JSON out on stdout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from bestpath.core.errors import UserError
from bestpath.core.search import Message, Score
from bestpath.stages.generation.engines import open_scorer


def main() -> None:
    """Open the engine once for every run that is asked for; the answer to one that does not open is its sentence."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    asked = json.load(sys.stdin)
    chats = [tuple(Message(*turn) for turn in chat) for chat in asked["chats"]]
    answers: list[object] = []
    for run in asked["runs"]:
        try:
            engine = open_scorer("vllm", run["folder"], run["of"], **run["settings"])
        except UserError as error:
            answers.append(str(error))
            continue
        waiting, found = dict(enumerate(chats)), {}
        while len(found) < len(chats):
            while waiting and engine.in_flight < engine.capacity:
                ticket = next(iter(waiting))
                engine.submit(ticket, Score("role", waiting.pop(ticket), run["of"]))
            found.update(engine.step(0.1))
        answers.append([vars(found[ticket]) for ticket in range(len(found))])
        engine.close()
    json.dump(answers, out)


if __name__ == "__main__":
    main()
