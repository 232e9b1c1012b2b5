from __future__ import annotations

from pathlib import Path

import pytest

from bestpath.core import prompts
from bestpath.core.errors import UserError

RECUT = Path(__file__).resolve().parents[2] / "config/prompts/recut"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ problm }}", "unknown field 'problm'; did you mean 'problem'"),
        ("{% if %}", "has a mistake in line 1"),
    ],
)
def test_a_bad_template_is_one_clear_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.jinja"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        prompts.load(path, ["problem"])


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no prompt template .*nothing\.jinja"):
        prompts.load(tmp_path / "nothing.jinja", [])


def test_long_and_short_differ_in_the_length_clause_alone() -> None:
    long = (RECUT / "long.jinja").read_text().splitlines()
    short = (RECUT / "short.jinja").read_text().splitlines()
    assert [i for i, (a, b) in enumerate(zip(long, short, strict=True)) if a != b] == [1]


def test_the_prompt_is_the_user_turn() -> None:
    prompt = prompts.load(RECUT / "long.jinja", ["problem", "previous", "step"])
    (message,) = prompt.messages(problem="What is 2 + 3?", previous="(none)", step=1)
    assert message.role == "user"
    assert "What is 2 + 3?" in message.content
    assert message.content.endswith("Go on with step 1.")
