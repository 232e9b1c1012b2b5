"""The report as one HTML page that needs nothing but itself: no server, no network, no framework.

Everything that comes from a model or from data is escaped by the template or placed by the script as text. The page's
own policy forbids requests and every script but its own, should anything ever slip through.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bestpath.stages.report.data import ReportData
from bestpath.stages.report.gallery import Picture
from bestpath.stages.report.paths import TAGS
from bestpath.stages.report.views import effects_of, result_tables, typeset
from bestpath.stages.report.words import in_words

HERE = Path(__file__).parent


def render(data: ReportData, pictures: Sequence[Picture]) -> str:
    """The page of a report, with the figures that `gallery` made of it."""
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    final = [row for row in data.systems if row.system == data.final]
    ends = [variant.system for variant in data.variants]
    return _environment().get_template("template.html.jinja").render(
        data=data,
        tables=result_tables(data.systems),
        tiles=[(row, *effects_of(row, [row])) for row in final],
        variants=[(variant, *effects_of(variant.system, ends)) for variant in data.variants],
        pictures=pictures,
        tags={tag: text for tag, text in TAGS.items() if any(tag in path.tags for path in data.paths)},
        paths=embedded_json([asdict(path) for path in data.paths]),
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_digest(script)}'; img-src data:",
    )  # fmt: skip


def embedded_json(value: object) -> Markup:
    """JSON that may stand inside a script element: no character in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "typeset": typeset,
        "count": _count,
        "percent": lambda share, digits=1: "" if share is None else f"{100 * share:.{digits}f}",
        "fixed": lambda value, digits=1: "" if value is None else typeset(f"{value:.{digits}f}"),
        "duration": _duration,
        "in_words": in_words,
    }
    return environment


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _count(number: int | None) -> str:
    """A whole number with thin spaces between thousands."""
    return "" if number is None else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"
