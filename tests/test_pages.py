"""The pages: what code and other pages point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]
}
CODE = [*ROOT.glob("scripts/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("rules/*.smk")]
POINTER = re.compile(r"(docs/[\w-]+\.md)(?:, ([\w ]+)\))?")


def headings(page: str) -> list[str]:
    """The headings of a page, as they stand there, without those of code blocks."""
    text = re.sub(r"^ *```.*?^ *```$", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def sections(page: str) -> set[str]:
    """What a pointer may call the sections of a page: by their number, or by their name."""
    parts = [re.fullmatch(r"(?:(\d+)\. )?(.+)", heading.lower()) for heading in headings(page)]
    return {name for part in parts if part for name in part.groups() if name}


def test_every_pointer_in_the_code_leads_to_a_section() -> None:
    """A pointer is a page, and in brackets a section of it: `(docs/gsi.md, help)` or `(docs/gsi.md, 3)`."""
    pointers = {(file, *found) for file in CODE for found in POINTER.findall(file.read_text("utf-8"))}
    assert [p for p in pointers if p[1] not in PAGES or (p[2] and p[2] not in sections(p[1]))] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        path, _, section = target.partition("#")
        if path.startswith("http"):
            continue
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if section:
            assert section in map(anchor, headings(file.resolve().relative_to(ROOT).as_posix())), target
