from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.evaluation.results import Run, results_of, wide_row
from bestpath.stages.report.data import FunnelStep, ReportData, SystemRow
from bestpath.stages.report.html import embedded_json, render
from bestpath.stages.report.views import effects_of, result_tables, typeset
from tests.stages.report.example import NASTY

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


def test_the_page_is_well_formed_and_its_ids_are_unique(page):
    outline = Outline(page)
    assert outline.open == []
    ids = [attributes["id"] for _, attributes in outline.seen if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = {attributes["href"][1:] for tag, attributes in outline.seen if tag == "a"}
    assert targets <= set(ids)


def test_the_page_asks_for_nothing_from_outside(page):
    outline = Outline(page)
    assert not [tag for tag, _ in outline.seen if tag in {"link", "img", "iframe", "object", "embed", "base", "form"}]
    assert not [a for tag, a in outline.seen if tag == "script" and "src" in a]
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert not re.search(r"https?://|url\((?!#)|@import", without_names)
    assert "default-src &#39;none&#39;" in page


def test_only_the_page_s_own_script_may_run(page):
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page.replace("&#43;", "+")


def test_text_from_models_is_escaped(page, data):
    assert any(NASTY in path.question for path in data.paths)
    assert "<b>bold" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page  # not evaluated either


def test_the_answer_opens_the_page(page, data):
    words = " ".join("".join(Outline(page).words).split())
    for sentence in data.answer:
        assert " ".join(typeset(sentence).split()) in words
    assert words.index(data.title) < words.index("The answer") < words.index("Path explorer")


def test_nothing_that_the_data_say_is_hidden(page, data):
    words = " ".join("".join(Outline(page).words).split())
    for sentence in (*data.verdicts, *data.merge_verdicts, *data.decoding_verdicts, *data.warnings):
        assert " ".join(typeset(sentence).split()) in words
    for step in data.funnel:
        for reason, _ in step.rejects:
            assert reason in words


def test_the_explorer_s_data_survive_their_way_into_the_page(page, data):
    embedded = re.search(r'id="path-data">(.*?)</script>', page, flags=re.DOTALL)
    paths = json.loads(embedded[1])
    assert [path["problem_id"] for path in paths] == [path.problem_id for path in data.paths]
    assert paths[0]["question"] == data.paths[0].question


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner), max_leaves=8))
def test_embedded_json_cannot_end_its_element_and_reads_back(value):
    text = str(embedded_json(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def test_a_report_of_results_alone_renders(data):
    bare = ReportData("title", "subtitle", ("An answer.",), data.systems, data.final)
    page = render(bare, [])
    outline = Outline(page)
    assert outline.open == []
    sections = [attributes.get("id") for tag, attributes in outline.seen if tag == "section"]
    assert sections == ["answer", "figures", "reading"]


def test_a_row_that_got_lost_is_pointed_out(data):
    lost = FunnelStep("pairs", "problems", 10, 7, (("no_wrong", 2),))
    assert lost.lost == 1
    assert "1 problems are unaccounted for" in render(replace(data, funnel=(lost,), paths=()), [])
    assert "unaccounted" not in render(replace(data, paths=()), [])


def test_a_system_row_is_the_evaluation_s_wide_row():
    scores = [
        {"problem_id": "a", "sample_id": "a.0", "answer": "1", "verdict": "correct", "rule": "", "n_tokens": 3,
         "finish_reason": "stop"}
    ]  # fmt: skip
    (result,) = results_of([Run("base", "base", "test", "greedy", 10, scores)], seed=1)
    row = wide_row(result)
    assert row.keys() == {field.name for field in fields(SystemRow)}
    assert SystemRow(**row).accuracy == 1


def test_result_tables_follow_data_set_and_decoding(data):
    tables = result_tables(data.systems)
    assert [(table.dataset, table.decoding) for table in tables] == [
        ("test", "greedy"),
        ("test", "sampled (T = 0.7)"),
    ]
    assert [row.n for row in tables[1].rows][:1] == ["300 × 4"]
    assert tables[0].rows[0].delta is None


def test_an_effect_is_good_or_bad_only_when_its_interval_excludes_zero(data):
    row = data.systems[1]

    def senses(**more):
        changed = replace(row, **more)
        return tuple(effect.sense for effect in effects_of(changed, [changed]))

    fewer = {"token_ratio": 0.5, "ratio_low": 0.4, "ratio_high": 0.6}
    assert senses(delta=-0.1, delta_low=-0.2, delta_high=-0.05, **fewer) == ("bad", "good")
    assert senses(delta=0.1, delta_low=0.05, delta_high=0.2, token_ratio=1.5, ratio_low=1.4, ratio_high=1.6) == (
        "good",
        "bad",
    )
    assert senses(delta=0.1, delta_low=-0.05, delta_high=0.2, token_ratio=1, ratio_low=0.9, ratio_high=1.1) == (
        "none",
        "none",
    )


shares = st.floats(-1, 1)


@given(shares, shares, shares)
def test_positions_stay_within_the_plot_and_in_order(a, b, c):
    low, value, high = sorted((a, b, c))
    row = SystemRow(
        "m", "merged", "main", "test", "greedy", 10, 5, 5, 1, 0.5, 0.1, None, 5.0, None, None, None, None, None,
        0, 0, 0, 0, value, low, high, None,
    )  # fmt: skip
    effect, _ = effects_of(row, [row])
    assert 0 <= effect.low <= effect.at <= effect.high <= 100
    assert 0 <= effect.zero <= 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at -0.6 points [-3.3, 1.9]", "at −0.6 points [−3.3, 1.9]"),
        ("linear-0.5 and chain-of-draft", "linear-0.5 and chain-of-draft"),
        ("8 % fewer", "8\N{NO-BREAK SPACE}% fewer"),
    ],
)
def test_typesetting(text, shown):
    assert typeset(text) == shown
