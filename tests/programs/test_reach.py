"""A program reaches the grader, the sandbox and the engines that it uses, and no others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bestpath.core.provenance import code_of
from bestpath.stages.evaluation import readers
from bestpath.stages.generation import engines
from bestpath.stages.generation.options import sandbox_modules
from tests.conftest import ROOT

SAMPLING = (
    "recut_explore", "gsi_sample", "gsi_grade", "gsi_guide", "gsi_perplexity", "evaluate_sample", "train_specialist"
)  # fmt: skip
LATEX, WORKERS, SANDBOX = "bestpath.answers.latex", "bestpath.answers.workers", "bestpath.answers.sandbox.process"
ENGINES = "bestpath.stages.generation.engines"


def reach(program: str, *modules: str) -> set[str]:
    return {entry.split()[0] for entry in code_of(program, *modules)}


@pytest.mark.parametrize("program", ["gsi_sample", "gsi_perplexity", "evaluate_sample"])
def test_what_samples_and_does_not_grade_reaches_no_answers(program: str) -> None:
    assert not {module for module in reach(program) if module.startswith("bestpath.answers")}


@pytest.mark.parametrize("program", ["recut_explore", "gsi_grade", "gsi_guide", "train_specialist", "evaluate_grade"])
def test_what_grades_reaches_the_grader(program: str) -> None:
    assert {LATEX, WORKERS} <= reach(program)


@pytest.mark.parametrize("program", [*SAMPLING, "evaluate_grade"])
def test_the_sandbox_is_reached_by_programs_that_run_programs(program: str) -> None:
    assert SANDBOX not in reach(program)
    assert SANDBOX in reach(program, *sandbox_modules("namespace"))
    assert SANDBOX in reach("evaluate_grade", *readers.modules_of("program"))


@pytest.mark.parametrize("program", SAMPLING)
def test_an_engine_is_reached_by_its_name(program: str) -> None:
    """Editing vLLM's module stales no samples of the engine `transformers`."""
    own = {"transformers": "decoder", "vllm": "vllm", "endpoint": "responses"}
    assert not {f"{ENGINES}.{module}" for module in own.values()} & reach(program)
    for name, module in own.items():
        reached = reach(program, *engines.modules_of({"actor": {"engine": name}}))
        assert {other for other in own.values() if f"{ENGINES}.{other}" in reached} == {module}
    scoring = reach(program, *engines.modules_of({"base": {"engine": "vllm"}}, ["base"]))
    assert f"{ENGINES}.vllm_scorer" in scoring


def test_rules_may_ask_for_modules_without_loading_torch() -> None:
    code = (
        "import sys; from bestpath.stages.generation import engines, options; "
        "from bestpath.stages.evaluation import answering, readers; "
        "print({'torch', 'transformers', 'openai', 'psutil', 'pyarrow', 'jinja2'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
