"""Prompt templates: Jinja files, one a role, each the text of one user turn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bestpath.core.errors import UserError, nearest
from bestpath.core.search import Message

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@dataclass(frozen=True)
class Prompt:
    """One prompt template and the fields that it is given.

    Make it with `load`; `render` gives the text, `messages` the chat with that text as its user turn.
    """

    name: str
    template: str
    fields: frozenset[str]

    @cached_property
    def sha(self) -> str:
        """The first 16 hex digits of the SHA-256 of the template's text."""
        return hashlib.sha256(self.template.encode()).hexdigest()[:16]

    def render(self, **values: object) -> str:
        """The prompt's text. Raises ValueError for a field that the prompt is not given."""
        if values.keys() - self.fields:
            raise ValueError(f"prompt {self.name} is not given: {sorted(values.keys() - self.fields)}")
        return str(_compiled(self.template).render(**values))

    def messages(self, **values: object) -> tuple[Message, ...]:
        """A chat whose user turn is the rendered prompt."""
        return (Message("user", self.render(**values)),)


def load(path: Path | str, fields: Iterable[str]) -> Prompt:
    """Read a template and check that it uses no field but the given ones.

    Raises UserError when the file is missing, is not UTF-8, is no valid template, or uses an unknown field.
    """
    from jinja2 import TemplateSyntaxError, meta

    path, fields = Path(path), frozenset(fields)
    try:
        text = path.read_text(encoding="utf-8").rstrip("\n")
    except FileNotFoundError:
        raise UserError(f"there is no prompt template {path}; create it or correct its name") from None
    except UnicodeDecodeError:
        raise UserError(f"the prompt template {path} is not UTF-8; save it as UTF-8") from None
    try:
        used = meta.find_undeclared_variables(_environment().parse(text))
    except TemplateSyntaxError as error:
        raise UserError(f"the prompt template {path} has a mistake in line {error.lineno}: {error}") from None
    for unknown in sorted(used - fields):
        hint = nearest(unknown, fields)
        meant = f"did you mean '{hint}'?" if hint else f"it may use {', '.join(sorted(fields))}"
        raise UserError(f"the prompt template {path} uses the unknown field '{unknown}'; {meant}")
    return Prompt(path.stem, text, fields)


@cache
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, autoescape=False)
