from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.report.blocks import Explorer, Funnel, Step, Table
from bestpath.stages.report.data import Chapter, Method, Report, Section
from bestpath.stages.report.html import embedded_json, render
from bestpath.stages.report.page import compose
from bestpath.stages.report.views import typeset
from tests.stages.report.example import NASTY, system

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Outline(HTMLParser):
    """Tags that are open when the page ends, attributes of all tags, and text outside scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, text):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(text)

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def ids(self, tag=None):
        return [attributes["id"] for seen, attributes in self.seen if "id" in attributes and tag in (None, seen)]


def words(text):
    return " ".join(typeset(text).split())


@pytest.fixture(params=["page", "page_of_both"])
def any_page(request):
    return request.getfixturevalue(request.param)


def test_the_page_is_well_formed_and_its_ids_are_unique(any_page):
    outline = Outline(any_page)
    assert outline.open == []
    assert len(set(outline.ids())) == len(outline.ids())
    targets = {attributes["href"][1:] for tag, attributes in outline.seen if tag == "a"}
    assert targets <= set(outline.ids())


def test_the_page_asks_for_nothing_from_outside(page):
    outline = Outline(page)
    assert not [tag for tag, _ in outline.seen if tag in {"link", "img", "iframe", "object", "embed", "base", "form"}]
    assert not [a for tag, a in outline.seen if tag == "script" and "src" in a]
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"|"http://www.w3.org/2000/svg"', "", page)
    assert not re.search(r"https?://|url\((?!#)|@import", without_names)
    assert "default-src &#39;none&#39;" in page


def test_only_the_page_s_own_script_may_run(page):
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page.replace("&#43;", "+")


def test_text_from_models_is_escaped(any_page):
    assert "<b>bold" not in any_page
    assert "<img" not in any_page
    assert "{{ 7 * 7 }}" in any_page  # not evaluated either


def test_the_answer_opens_the_page(page, data):
    text = Outline(page).text
    for sentence in data.headline:
        assert words(sentence) in text
    assert text.index(data.title) < text.index("The answer") < text.index("Path explorer")


def test_nothing_that_the_data_say_is_hidden(page, data):
    text = Outline(page).text
    chapter = data.methods[0].chapter
    for sentence in (*data.verdicts, *data.decoding_verdicts, *chapter.warnings):
        assert words(sentence) in text
    for word in ("duplicate_question", "the same problem occurs before", "training rows", "356", "3 others.", "Two."):
        assert word in text
    for picture in ("loss", "rewards", "lengths"):
        assert f'aria-label="{picture}"' in page or picture in text


def test_the_explorer_s_data_survive_their_way_into_the_page(page, data):
    embedded = re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.DOTALL)
    (explorer,) = [json.loads(text) for text in embedded if '"paths"' in text]
    paths = next(b for s in data.methods[0].chapter.sections for b in s.blocks if isinstance(b, Explorer)).paths
    assert [path["id"] for path in explorer["paths"]] == [path.id for path in paths]
    assert explorer["paths"][0]["question"] == paths[0].question and NASTY in paths[0].question
    assert explorer["tones"] == {"long": "blue", "short": "orange"}


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner), max_leaves=8))
def test_embedded_json_cannot_end_its_element_and_reads_back(value):
    text = str(embedded_json(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def bare(*systems, sections=()):
    chapter = Chapter("alpha merge", frozenset(), (), tuple(sections))
    return Report("title", "subtitle", ("An answer.",), systems, "base", (Method("alpha", "Alpha", chapter),))


def test_a_report_of_results_alone_renders():
    page = render(compose(bare(system("base", "base", "alpha"), system("alpha merge", "merged", "alpha"))))
    outline = Outline(page)
    assert outline.open == []
    assert outline.ids("section") == ["answer", "figures", "reading"]


def test_a_system_without_accuracy_has_an_empty_cell_and_no_point():
    judged = replace(system("judged", "specialist", "alpha"), accuracy=None, accuracy_se=None, delta=None)
    page = compose(bare(system("base", "base", "alpha"), judged))
    assert "judged" not in page.pictures[0].svg and "base" in page.pictures[0].svg
    html = render(page)
    row = re.search(r"<tr class=\"specialist\">.*?</tr>", html, flags=re.DOTALL)[0]
    assert re.findall(r'<td data-value="([^"]*)"', row)[:2] == ["", ""]


def test_a_row_that_got_lost_is_pointed_out():
    lost = Step("pairs", "problems", 10, 7)
    assert lost.lost == 3
    section = Section("Funnel", (Funnel((lost,)),))
    page = render(compose(bare(system("base", "base", "alpha"), sections=[section])))
    assert "3 problems are unaccounted for" in page


def test_what_is_empty_is_left_out():
    section = Section("Merging", (Table((), (), "Nothing at all"),))
    assert "Nothing at all" not in render(compose(bare(system("base", "base", "alpha"), sections=[section])))


def test_two_methods_have_a_chapter_each_with_names_of_its_own(both, page_of_both):
    outline = Outline(page_of_both)
    assert [i for i in outline.ids("section") if i in ("alpha", "beta")] == ["alpha", "beta"]
    assert {"alpha-funnel", "beta-funnel", "alpha-paths", "beta-paths"} <= set(outline.ids("section"))
    assert outline.ids("div") == ["alpha-paths-explorer", "beta-paths-explorer"]
    page = compose(both)
    assert {"alpha-merges", "beta-merges"} <= {table.name for table in page.tables}
    names = [picture.name for picture in page.pictures]
    assert len(set(names)) == len(names) and {"alpha-loss", "beta-loss", "lengths"} <= set(names)
    for sentence in (*(method.chapter.headline[0] for method in both.methods), "Alpha: mean tokens moved"):
        assert words(sentence) in outline.text


def test_tiles_are_against_the_base_of_their_own_method(both):
    own = tuple(
        replace(row, reference="base (beta)", delta=-0.5) if row.method == "beta" else row for row in both.systems
    )
    page = compose(replace(both, by_own_base=own))
    assert [(tile.row.reference, tile.delta.text) for tile in page.tiles][1] == ("base (beta)", "−50.0")
    assert "against base (beta)" in render(page)


def test_with_several_methods_tiles_are_of_the_first_decoding(data, both):
    assert [tile.row.decoding for tile in compose(data).tiles] == ["greedy", "sampled (T = 0.7)"]
    assert [(t.row.system, t.row.decoding) for t in compose(both).tiles] == [
        ("alpha merge", "greedy"), ("beta merge", "greedy"),
    ]  # fmt: skip
