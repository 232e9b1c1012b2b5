"""The report as one HTML page that needs nothing but itself: no server, no network, no framework.

Everything that comes from a model or from data is escaped by the template or placed by the script as text. The page's
own policy forbids requests and every script but its own, should anything ever slip through.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bestpath.stages.report.blocks import Comparisons, Estimate, Explorer
from bestpath.stages.report.page import Page
from bestpath.stages.report.style import tone, variables
from bestpath.stages.report.views import count, typeset

HERE = Path(__file__).parent


def render(page: Page) -> str:
    """A page as HTML."""
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    return _environment().get_template("template.html.jinja").render(
        page=page,
        report=page.report,
        style=Markup(variables() + style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_digest(script)}'; img-src data:",
    )  # fmt: skip


def explorer_json(explorer: Explorer) -> Markup:
    """What the page's script needs of an explorer: the paths, the colours of titles, and the word on what was kept."""
    tones = {name: tone(name, explorer.tones) for name in explorer.tones}
    return embedded_json({"paths": [asdict(path) for path in explorer.paths], "tones": tones, "badge": explorer.badge})


def any_two_json(settings: tuple[Comparisons, ...]) -> Markup:
    """What the page's script needs of all pairs: value, low and high, in points and in ratios."""
    return embedded_json(
        [
            {
                "title": setting.title,
                "systems": setting.systems,
                "accuracy": [_numbers(estimate) for estimate in setting.accuracy],
                "tokens": [_numbers(estimate) for estimate in setting.tokens],
            }
            for setting in settings
        ]
    )


def _numbers(estimate: Estimate | None) -> list[float | None] | None:
    if estimate is None:
        return None
    return [None if x is None else float(f"{x:.5g}") for x in (estimate.value, estimate.low, estimate.high)]


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
        "count": count,
        "tone": tone,
        "explorer_json": explorer_json,
        "any_two_json": any_two_json,
    }
    return environment


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
