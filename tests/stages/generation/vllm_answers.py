"""Answers requests with vLLM, in the environment that has it: JSON in on stdin, JSON out on stdout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from bestpath.core.search import Generate, Message, Sampling
from bestpath.stages.generation.engines import open_engine


def main() -> None:
    """Open the engine once for every run that is asked for."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    asked = json.load(sys.stdin)
    answers = []
    for settings in asked["runs"]:
        engine = open_engine("vllm", asked["folder"], **settings)
        waiting, found = dict(enumerate(asked["requests"])), {}
        while len(found) < len(asked["requests"]):
            while waiting and engine.in_flight < engine.capacity:
                ticket = next(iter(waiting))
                one = waiting.pop(ticket)
                chat = (Message("user", one["content"]),)
                engine.submit(ticket, Generate("actor", chat, Sampling(**one["sampling"]), one["seed"], one["prefill"]))
            found.update(engine.step(0.1))
        answers.append([vars(found[ticket]) for ticket in range(len(found))])
        engine.close()
    json.dump(answers, out)


if __name__ == "__main__":
    main()
