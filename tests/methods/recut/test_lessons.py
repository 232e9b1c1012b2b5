"""The lessons of ReCUT: what its base is taught never changes by accident, or its numbers would."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bestpath.methods.recut.lessons import LESSONS
from bestpath.stages.embedded.language import World
from bestpath.stages.embedded.lessons import Document, curriculum, documents

PROMPTS = Path(__file__).resolve().parents[3] / "config/prompts/recut"


def written(prompts: list[str], seed: int, n: int) -> list[Document]:
    """The first documents for some prompts of the lesson."""
    taught = curriculum(LESSONS, {f"recut/{name}": PROMPTS / f"{name}.jinja" for name in prompts})
    return list(documents(taught, World(operations=(3, 4), largest=99), seed, 0, n))


def test_half_of_the_documents_go_on_from_steps_of_mixed_styles() -> None:
    texts = written(["long", "short"], 3, 2000)
    given_steps = [re.findall(r"\[STEP\d+\]: .*", document.prompt.split("Reasoning so far:")[1]) for document in texts]
    share = sum(bool(steps) for steps in given_steps) / len(texts)
    assert 0.4 < share < 0.6
    several = [steps for steps in given_steps if len(steps) >= 2]
    mixed = sum(len({"check" in step for step in steps}) == 2 for steps in several) / len(several)
    assert 0.25 < mixed < 0.75


def test_the_documents_of_recut_are_what_they_were() -> None:
    """Lessons for other methods change no byte of what its base is taught, so its demo keeps its numbers."""
    texts = [f"{document.prompt}\n{document.completion}" for document in written(["neutral", "long", "short"], 42, 300)]
    assert hashlib.sha256("\n\n".join(texts).encode()).hexdigest()[:16] == "31a71c42ca015a54"
