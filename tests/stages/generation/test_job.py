"""A whole job: real engines that generate and score, a journal, and what it cost by role."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from bestpath.core.errors import UserError
from bestpath.core.models import write_manifest
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Grade, Message, Run, Sampling, Score, Scored, Search
from bestpath.core.tables import Row, Table, made_from, read_table
from bestpath.stages.generation import job as job_module
from bestpath.stages.generation.engine import Answering
from bestpath.stages.generation.job import SearchJob
from bestpath.stages.generation.options import by_name, sampling_options
from tests.stages.generation.endpoint_server import ChatServer, by_words, endpoint
from tests.stages.generation.tiny import build_folder, build_reward_folder

FOUND = Table("found", {"text": "string", "rewards": "string", "log": "float64"}, ("text",))
SCORERS = {"reward": "reward", "judge": "likelihood"}
N, SAMPLES = 10, 3


def best_of(problem: str, n: int = SAMPLES) -> Search[list[Row]]:
    """The best of some samples by the reward, and how likely a judge finds it."""
    question = Message("user", problem)
    seeds = [seed_of(1, problem, i) for i in range(n)]
    samples = yield [Generate("actor", (question,), Sampling(1.0, max_tokens=30), seed) for seed in seeds]
    chats = [(question, Message("assistant", one.text)) for one in samples if isinstance(one, Completion)]
    rewards = yield [Score("reward", chat) for chat in chats]
    values = [reward.value or 0.0 for reward in rewards if isinstance(reward, Scored)]
    best = max(range(n), key=values.__getitem__)
    (likelihood,) = yield [Score("judge", chats[best], "likelihood")]
    assert isinstance(likelihood, Scored)
    return [{"text": chats[best][1].content, "rewards": json.dumps(values), "log": likelihood.value}]


def searches(search: Callable[[str], Search[list[Row]]], n: int = N) -> dict[str, Callable[[], Search[list[Row]]]]:
    return {f"pears {i}": partial(search, f"pears {i}") for i in range(n)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A language model and a reward model, with manifests."""
    root = tmp_path_factory.mktemp("models")
    found = {"actor": build_folder(root / "actor"), "reward": build_reward_folder(root / "reward", "llama")}
    for folder in found.values():
        write_manifest(folder)
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the engines that a job opens, in order."""
    names: list[str] = []

    def noting(opener: Callable[..., Answering[Any, Any]]) -> Callable[..., Answering[Any, Any]]:
        def note(name: str, *arguments: Any, **settings: Any) -> Answering[Any, Any]:
            names.append(f"{name} {opener.__name__}")
            return opener(name, *arguments, **settings)

        return note

    for opener in ("open_engine", "open_scorer"):
        monkeypatch.setattr(job_module, opener, noting(getattr(job_module, opener)))
    return names


def job_of(folder: Path, models: dict[str, Path], engines: dict[str, Any], **options: Any) -> SearchJob:
    """A job as a program makes it from its command line."""
    (folder / "problems.txt").write_text("pears")
    parser = ArgumentParser()
    sampling_options(parser, "recut_explore")
    manifests = [f"{role}={path / 'manifest.json'}" for role, path in models.items()]
    limits = json.dumps(options.pop("limits", {}))
    values = ["--engines", json.dumps(engines), "--limits", limits, "--seed", "1", "--work", str(folder / "work")]
    values += ["--problems", str(folder / "problems.txt"), "--usage", str(folder / "usage.json")]
    args = parser.parse_args([*values, "--models", *manifests])
    return SearchJob.of("recut_explore", args, [args.problems], "test", **options)


def usage(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "usage.json").read_text())
    return found


def test_a_job_that_generates_and_scores(tmp_path: Path, folders: dict[str, Path], opened: list[str]) -> None:
    models = {"actor": folders["actor"], "judge": folders["actor"], "reward": folders["reward"]}

    def job(slots: int) -> SearchJob:
        engines = {role: {"engine": "transformers", "slots": slots} for role in models}
        return job_of(tmp_path, models, engines, scorers=SCORERS)

    one, two = job(16), job(3)
    found = one.run(searches(best_of))
    assert sorted(opened) == ["transformers open_engine", "transformers open_scorer", "transformers open_scorer"]
    assert len({row["log"] for rows in found.values() for row in rows}) == N
    assert all(len(set(json.loads(rows[0]["rewards"]))) > 1 for rows in found.values())
    assert two.work != one.work and two.run(searches(best_of)) == found
    (role,) = usage(tmp_path)["roles"].items()
    assert (usage(tmp_path)["problems"], role[0], role[1]["engine"]) == (N, "actor", "transformers")
    assert role[1]["completions"] == N * SAMPLES and role[1]["completion_tokens"] > N * SAMPLES
    before = usage(tmp_path)
    opened.clear()
    assert one.run(searches(best_of)) == found
    assert not opened, "a finished job loads no model"
    assert usage(tmp_path) == before

    one.finish(tmp_path / "found.parquet", FOUND, chain.from_iterable(found.values()))
    assert len(read_table(tmp_path / "found.parquet", FOUND)) == N
    assert made_from(tmp_path / "found.parquet") == one.origin.digests
    assert (one.work / "spent").exists() and not (two.work / "spent").exists()


def told(problem: str) -> Search[list[Row]]:
    """What a teacher says, and what the model makes of it."""
    question = Message("user", problem)
    (hint,) = yield [Generate("teacher", (question,), Sampling(max_tokens=20), 1)]
    assert isinstance(hint, Completion)
    chat = (question, Message("assistant", hint.text), question)
    (answer,) = yield [Generate("actor", chat, Sampling(max_tokens=20), 2)]
    assert isinstance(answer, Completion)
    return [{"hint": hint.n_tokens, "answer": answer.n_tokens}]


def teaching(folder: Path, folders: dict[str, Path], server: ChatServer, *roles: str) -> SearchJob:
    """A job in which these roles are played by one server, the others by a model here."""
    served, limits = endpoint(server.url, folder / "responses", first_pause_s=0.01)
    here = {"engine": "transformers", "slots": 4}
    engines = {role: served if role in roles else here for role in ("actor", "teacher")}
    models = {"actor": folders["actor"], "base": folders["actor"]}
    return job_of(folder, models, engines, limits=dict.fromkeys(roles, limits))


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(by_words) as server:
        yield server


def test_a_teacher_s_tokens_stand_apart(
    tmp_path: Path, folders: dict[str, Path], server: ChatServer, opened: list[str]
) -> None:
    """And those of an earlier process count: of a job that is killed after four problems and started again."""
    first = teaching(tmp_path, folders, server, "teacher")
    first.run(searches(told, 4))
    found = teaching(tmp_path, folders, server, "teacher").run(searches(told))
    roles = usage(tmp_path)["roles"]
    sums = {
        role: sum(row[key] for (row,) in found.values()) for role, key in (("teacher", "hint"), ("actor", "answer"))
    }
    assert {role: spent["completion_tokens"] for role, spent in roles.items()} == sums
    assert {role: (spent["engine"], spent["completions"]) for role, spent in roles.items()} == {
        "teacher": ("endpoint", N),
        "actor": ("transformers", N),
    }
    assert roles["teacher"]["answered"] == N == len(server.served) and "answered" not in roles["actor"]
    opened.clear()
    again = teaching(tmp_path, folders, server, "teacher")
    assert again.run(searches(told)) == found and usage(tmp_path)["roles"] == roles
    assert opened == ["endpoint open_engine"], "the account of a finished job is still kept"


def test_roles_of_one_model_share_an_engine_and_have_accounts_of_their_own(
    tmp_path: Path, folders: dict[str, Path], server: ChatServer, opened: list[str]
) -> None:
    found = teaching(tmp_path, folders, server, "actor", "teacher").run(searches(told))
    assert opened == ["endpoint open_engine"]
    roles = usage(tmp_path)["roles"]
    for role, key in (("teacher", "hint"), ("actor", "answer")):
        assert roles[role]["answered"] == roles[role]["completions"] == N
        assert roles[role]["paid_tokens"]["completion_tokens"] == sum(row[key] for (row,) in found.values())


def test_a_role_without_an_engine_is_not_opened(tmp_path: Path, folders: dict[str, Path], opened: list[str]) -> None:
    job = job_of(tmp_path, {"actor": folders["actor"], "teacher": folders["actor"]}, {})
    with pytest.raises(UserError, match=r"role 'teacher' \(roles with a model: none\)"):
        job.run(searches(told))
    with pytest.raises(UserError, match="no model is set for the role 'actor'"):
        job_of(tmp_path, {"reward": folders["reward"]}, {}, scorers=SCORERS).run(searches(best_of))
    assert not opened


def test_what_a_job_has_not_opened_it_cannot_be_asked(tmp_path: Path, folders: dict[str, Path]) -> None:
    def grading(problem: str) -> Search[list[Row]]:
        yield [Grade("7", "7")]
        return []

    def running(problem: str) -> Search[list[Row]]:
        yield [Run("print(1)")]
        return []

    job = job_of(tmp_path, {}, {})
    with pytest.raises(UserError, match="no grader"):
        job.run(searches(grading))
    with pytest.raises(UserError, match="no sandbox"):
        job.run(searches(running))


def test_the_origin_of_a_job(tmp_path: Path, folders: dict[str, Path]) -> None:
    """Its models are inputs, and the modules of its engines code; limits change nothing."""
    models, here = {"actor": folders["actor"]}, {"actor": {"engine": "transformers"}}
    job = job_of(tmp_path, models, here)
    assert {path.name for path in job.origin.inputs} == {"problems.txt", "manifest.json"}
    assert job.origin.modules == ("bestpath.stages.generation.engines.transformers",)
    assert job.models == models and job.work == tmp_path / "work" / job.origin.key
    assert job_of(tmp_path, models, here, limits={"actor": {"slots": 3}}).origin.key == job.origin.key
    assert job_of(tmp_path, models, {"actor": {"engine": "transformers", "slots": 3}}).origin.key != job.origin.key
    scoring = job_of(tmp_path, models, {"actor": {"engine": "vllm"}}, scorers={"actor": "reward"}, modules=["m"])
    assert scoring.origin.modules == ("bestpath.stages.generation.engines.vllm_scorer", "m")
    with pytest.raises(UserError, match="there is no engine 'vlm'; did you mean 'vllm'"):
        job_of(tmp_path, models, {"actor": {"engine": "vlm"}})
    with pytest.raises(UserError, match="an endpoint cannot score"):
        job_of(tmp_path, models, {"actor": {"engine": "endpoint"}}, scorers={"actor": "reward"})


def test_a_part_of_a_job_keeps_a_journal_of_its_own(tmp_path: Path, folders: dict[str, Path]) -> None:
    job = job_of(tmp_path, {}, {"actor": {"engine": "transformers"}})
    part = job.part("one", "part one", {"actor": folders["actor"]})
    assert (part.work, part.label, part.origin) == (job.work / "one", "part one", job.origin)
    asked = [Generate("actor", (Message("user", "pears"),), Sampling(max_tokens=5), 1)]

    def ask() -> Search[list[Row]]:
        (answer,) = yield asked
        assert isinstance(answer, Completion)
        return [{"tokens": answer.n_tokens}]

    assert part.run({"p": ask})["p"][0]["tokens"] > 0
    assert (part.work / "journal.jsonl").exists() and not (job.work / "journal.jsonl").exists()


def test_paths_by_name() -> None:
    assert by_name(["a=x/y.json", "b=odd=name"]) == {"a": Path("x/y.json"), "b": Path("odd=name")}
