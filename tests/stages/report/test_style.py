from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import bestpath
from bestpath.stages.report.style import COLOURS, KINDS, SERIES, Marks, tone, variables

SOURCES = Path(bestpath.__file__ or Path(bestpath.__path__[0]) / "x").parent


def test_one_method_has_a_colour_a_kind_and_several_have_a_colour_a_method():
    one = Marks(("alpha",))
    assert len({one.of(("alpha", kind)).colour for kind in KINDS}) == len(KINDS)
    names = tuple(f"method {i}" for i in range(6))
    several = Marks(names)
    assert len({several.of((name, "merged")).colour for name in names}) == 6
    assert {several.of((name, "base")).colour for name in names} == {"ink"}
    for name in names:
        assert len({several.of((name, kind)).marker for kind in KINDS}) == len(KINDS)


def test_tones_follow_the_order_of_names():
    assert [tone(name, ("long", "short")) for name in ("short", "long", "unheard of")] == ["orange", "blue", "muted"]


def test_the_page_has_every_colour_in_light_and_dark():
    text = variables()
    for name, (_, light, dark) in COLOURS.items():
        assert f"--{name}:{light};" in text and f"--{name}:{dark};" in text


def test_series_differ_clearly():
    def channels(colour):
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]

    for column in range(3):
        for one, two in combinations(SERIES, 2):
            a, b = (channels(COLOURS[name][column]) for name in (one, two))
            assert sum(abs(x - y) for x, y in zip(a, b, strict=True)) > 90, (one, two, column)


def test_colours_stand_in_one_place():
    for path in SOURCES.rglob("*"):
        if path.suffix in {".py", ".css", ".js", ".jinja"} and path.name != "style.py":
            assert not re.search(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8")), path
