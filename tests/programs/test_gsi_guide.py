"""The program as a job runs it, with a teacher at an endpoint that fails at first."""

from __future__ import annotations

import json
from pathlib import Path

from bestpath.core.models import write_manifest
from bestpath.core.problems import PROBLEMS
from bestpath.core.tables import read_table, write_table
from bestpath.methods.gsi.prompts import PROMPT_FIELDS
from bestpath.methods.gsi.settings import Gsi
from bestpath.methods.gsi.tables import GRADED
from tests.conftest import ROOT
from tests.stages.generation.endpoint_server import Body, ChatServer, by_words, endpoint
from tests.stages.training.tiny import make_model
from tests.warm import run_warm

N = 12


def fails_for_even(body: Body, n: int) -> str | None:
    """Every other question is refused."""
    number = int(body["messages"][0]["content"].split("pears ")[1].split("?")[0])
    return "400" if number % 2 == 0 else None


def command(folder: Path, server: ChatServer) -> list[str]:
    """The program in a folder, with a tiny model and a teacher at a server."""
    make_model(folder / "model")
    write_manifest(folder / "model")
    problem = {**dict.fromkeys(PROBLEMS.columns), "dataset": "d", "kind": "number", "split": "train", "answer": "7"}
    names = [f"p{i:02}" for i in range(N)]
    problems = [{**problem, "problem_id": name, "question": f"pears {i}?"} for i, name in enumerate(names)]
    write_table(folder / "problems.parquet", PROBLEMS, problems)
    draw = {
        **{"t": 0, "phase": "plain", "strategy": "plain", "round": 0, "index": 0, "prompt_sha": "", "seed": 1},
        **{"prefix": "", "prefix_share": 0.0, "all_revealed": False, "feedback": None, "text": "I do not know"},
        **{"n_tokens": 4, "n_prompt_tokens": 4, "teacher_tokens": 0, "finish_reason": "stop", "error": None},
        **{"flags": [], "answer": None, "verdict": "no_answer", "output": None},
    }
    plain = [{**draw, "problem_id": name, "draw_id": f"{name}.0.plain.0.0"} for name in names]
    write_table(folder / "plain.parquet", GRADED, plain)
    prompts = []
    for role, fields in PROMPT_FIELDS.items():
        (folder / f"{role}.jinja").write_text(" ".join(f"{{{{ {name} }}}}" for name in fields))
        prompts.append(f"{role}={role}.jinja")
    gsi = Gsi()
    guidance = {**gsi.guidance.model_dump(), "strategy": "interactive", "rounds": 1, "k": 1}
    guidance["teacher"]["attempts"] = 1
    rules = {**gsi.sample.model_dump(), **guidance, "n_init": 1, "max_tokens": 40, "wanted": "k"}
    actor = {"engine": "transformers", "slots": 4}
    teacher, limits = endpoint(server.url, "responses", first_pause_s=0.01)
    options = {
        "problems": "problems.parquet",
        "plain": "plain.parquet",
        "t": "0",
        "rules": json.dumps(rules),
        "engines": json.dumps({"actor": actor, "teacher": teacher}),
        "limits": json.dumps({"teacher": limits}),
        "seed": "1",
        "shard": "0",
        "shard-size": str(N),
        "work": "work",
        "graded": "graded.parquet",
        "usage": "usage.json",
    }
    program = [str(ROOT / "scripts/gsi_guide.py"), "--prompts", *prompts]
    program += ["--models", *(f"{role}=model/manifest.json" for role in ("actor", "teacher"))]
    return [*program, *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_a_teacher_that_failed_is_asked_again_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    with ChatServer(by_words, fails_for_even) as server:
        started = command(tmp_path, server)
        first = run_warm(started, tmp_path)
        assert first.returncode == 1 and "Traceback" not in first.stderr
        assert f"the teacher gave no feedback on {N // 2} of {N} questions" in first.stderr
        assert not (tmp_path / "graded.parquet").exists()
        answered = len(server.served)

        server.fault = lambda body, n: None
        second = run_warm(started, tmp_path)
        assert second.returncode == 0, second.stderr
        rows = read_table(tmp_path / "graded.parquet", GRADED)
        assert len(rows) == N and all(row["feedback"] and row["verdict"] != "not_done" for row in rows)
        assert len(server.served) - answered == N // 2
    roles = json.loads((tmp_path / "usage.json").read_text())["roles"]
    assert (roles["actor"]["engine"], roles["actor"]["completions"]) == ("transformers", N // 2)
    assert (roles["teacher"]["engine"], roles["teacher"]["answered"]) == ("endpoint", N)
    assert roles["teacher"]["completion_tokens"] == sum(row["teacher_tokens"] for row in rows[::2])
