"""A whole job: real engines that generate and score, a journal, and what it cost."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Message, Sampling, Score, Scored, Search
from bestpath.core.tables import Row
from bestpath.stages.generation.engine import Scorer
from bestpath.stages.generation.engines import open_scorer
from bestpath.stages.generation.run import run_searches
from tests.stages.generation.tiny import build_folder, build_reward_folder


def best_of(problem: str, n: int) -> Search[list[Row]]:
    """The best of some samples by the reward, and how likely the actor finds it."""
    question = Message("user", problem)
    seeds = [seed_of(1, problem, i) for i in range(n)]
    samples = yield [Generate("actor", (question,), Sampling(1.0, max_tokens=30), seed) for seed in seeds]
    chats = [(question, Message("assistant", one.text)) for one in samples if isinstance(one, Completion)]
    rewards = yield [Score("reward", chat) for chat in chats]
    values = [reward.value or 0.0 for reward in rewards if isinstance(reward, Scored)]
    best = max(range(n), key=values.__getitem__)
    (likelihood,) = yield [Score("actor", chats[best], "likelihood")]
    assert isinstance(likelihood, Scored)
    return [{"text": chats[best][1].content, "rewards": values, "log": likelihood.value}]


def test_a_job_that_generates_and_scores(tmp_path: Path) -> None:
    actor, reward = build_folder(tmp_path / "actor"), build_reward_folder(tmp_path / "reward", "llama")
    opened: list[str] = []

    def opener(role: str) -> Scorer:
        opened.append(role)
        if role == "reward":
            return open_scorer("transformers", reward)
        return open_scorer("transformers", actor, "likelihood")

    def job(work: str, slots: int) -> dict[str, list[Row]]:
        return run_searches(
            {f"pears {i}": partial(best_of, f"pears {i}", 3) for i in range(10)},
            actor,
            json.dumps({"engine": "transformers", "slots": slots}),
            tmp_path / work,
            key="key",
            label="test",
            usage=tmp_path / "usage.json",
            scorers={role: partial(opener, role) for role in ("reward", "actor")},
        )

    found = job("one", 16)
    assert opened == ["reward", "actor"]
    assert len({row["log"] for rows in found.values() for row in rows}) == 10
    assert all(len(set(rows[0]["rewards"])) > 1 for rows in found.values())
    assert job("two", 3) == found
    usage = json.loads((tmp_path / "usage.json").read_text())
    assert (usage["problems"], usage["completions"]) == (10, 30)
    opened.clear()
    assert job("one", 16) == found
    assert not opened, "a finished job loads no model"
