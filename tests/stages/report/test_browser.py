"""The page in a real browser: it renders without script errors, and its tables and its explorer react."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest

from bestpath.stages.report.blocks import Explorer
from tests.machine import browser

pytestmark = pytest.mark.needs("browser")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=10000",
)  # fmt: skip


def paths_of(data):
    """The explored problems of the first method."""
    blocks = [block for section in data.methods[0].chapter.sections for block in section.blocks]
    return next(block for block in blocks if isinstance(block, Explorer)).paths


def load(page, tmp_path, fragment="", size="1280,900"):
    """The page's final DOM, and what it wrote to the console (errors, refused requests)."""
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [str(browser()), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={size}", "--dump-dom"]
    done = subprocess.run(
        [*command, f"{file.as_uri()}{fragment}"], capture_output=True, text=True, timeout=900, check=True
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def act(page, script, tmp_path, **more):
    """What a script returns that runs after the page's own; the page's policy is lifted for it."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    wrapped = f"document.body.dataset.outcome = JSON.stringify((() => {{{script}}})());"
    dom, console = load(page.replace("</body>", f"<script>{wrapped}</script></body>"), tmp_path, **more)
    assert console == []
    return html.unescape(re.search(r'data-outcome="([^"]*)"', dom)[1])


@pytest.mark.parametrize("size", ["1280,900", "420,900"])
def test_the_page_renders_without_errors_and_the_explorer_shows_a_path(page, data, tmp_path, size):
    dom, console = load(page, tmp_path, size=size)
    assert console == []
    paths = paths_of(data)
    assert f"<h3>{paths[0].id}</h3>" in dom
    assert f"{len(paths)} of {len(paths)}" in dom
    assert "<title>" + data.title in dom  # no text of a model has run and changed it


def test_an_error_would_be_noticed(page, tmp_path):
    broken = page.replace("<ol></ol>", "")
    _, console = load(broken, tmp_path)
    assert any("TypeError" in line for line in console)


def test_a_link_to_a_path_opens_it(page, data, tmp_path):
    wanted = paths_of(data)[-1]
    dom, console = load(page, tmp_path, fragment=f"#paths-explorer={wanted.id}")
    assert console == []
    assert f"<h3>{wanted.id}</h3>" in dom


def test_every_method_has_an_explorer_of_its_own(page_of_both, both, tmp_path):
    wanted = paths_of(both)[3]
    dom, console = load(page_of_both, tmp_path, fragment=f"#beta-paths-explorer={wanted.id}")
    assert console == []
    shown = re.findall(r"<h3>(train-\d+)</h3>", dom)
    assert shown == [paths_of(both)[0].id, wanted.id]


def test_a_wide_or_narrow_page_never_scrolls_sideways(page, tmp_path):
    for size in ("1280,900", "420,900"):
        script = "return document.documentElement.scrollWidth - innerWidth;"
        assert int(act(page, script, tmp_path, size=size)) <= 0


def test_the_explorer_shows_rounds_reasons_and_the_kept_part(page, data, tmp_path):
    path = paths_of(data)[4]
    script = """
      const rounds = [...document.querySelectorAll(".round")].map((round) => ({
        kept: round.querySelectorAll(".card.kept").length, cards: round.querySelectorAll(".card").length,
        reason: round.querySelector(".reason").textContent }));
      const marks = [...document.querySelectorAll(".card.kept mark")].map((mark) => mark.textContent);
      const heads = [...document.querySelectorAll(".round .head")].map((head) => head.textContent);
      return { rounds, marks, heads };
    """
    shown = json.loads(act(page, script, tmp_path, fragment=f"#paths-explorer={path.id}"))
    assert [r["cards"] for r in shown["rounds"]] == [len(r.alternatives) for r in path.rounds]
    assert [r["kept"] for r in shown["rounds"]] == [sum(a.kept for a in r.alternatives) for r in path.rounds]
    assert [r["reason"] for r in shown["rounds"]] == [f"{r.outcome}: {r.why}." for r in path.rounds]
    assert shown["marks"] == [a.kept_part for r in path.rounds for a in r.alternatives if a.kept]
    assert shown["heads"] == [
        "longkept\u2713 correct: 520 tokensreward 0.0500", "shortno answer9 tokenscut off", "planner",
    ]  # fmt: skip


def test_searching_filtering_and_stepping(page, data, tmp_path):
    script = """
      const root = document.querySelector(".explorer");
      const title = () => root.querySelector("article h3").textContent;
      const count = () => root.querySelector(".found").textContent;
      const fire = (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event("input"));
      };
      const [tag, search] = [root.querySelector("select"), root.querySelector("input")];
      const seen = { first: title() };
      [...document.querySelectorAll(".step-through button")].find((b) => b.textContent === "Next").click();
      seen.next = title();
      seen.address = location.hash;
      root.querySelectorAll("ol button")[4].click();
      seen.fifth = title();
      root.querySelector("ol").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
      seen.above = title();
      fire(tag, "unsolved");
      seen.unsolved = count();
      fire(tag, "");
      fire(search, "WANTED");
      seen.found = count();
      fire(search, "no such thing");
      seen.none = root.querySelector("article").textContent;
      return seen;
    """.replace("WANTED", paths_of(data)[7].id.upper())
    seen = json.loads(act(page, script, tmp_path))
    ids = [path.id for path in paths_of(data)]
    assert (seen["first"], seen["next"], seen["fifth"], seen["above"]) == (ids[0], ids[1], ids[4], ids[3])
    assert seen["address"] == f"#paths-explorer={ids[1]}"
    assert seen["unsolved"] == f"{sum('unsolved' in path.tags for path in paths_of(data))} of {len(ids)}"
    assert seen["found"] == f"1 of {len(ids)}"
    assert seen["none"] == "No problem fits."


def test_any_two_systems_are_compared_either_way_round(page, data, tmp_path):
    script = """
      const root = document.querySelector(".any-two");
      const [where, against] = root.querySelectorAll("select");
      const cells = () => Object.fromEntries([...root.querySelectorAll("tbody tr")].map((row) =>
        [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => [
          cell.className, ...[...cell.querySelectorAll("b, small")].map((part) => part.textContent)])]));
      const choose = (select, value) => {
        select.value = value;
        select.dispatchEvent(new Event("input"));
      };
      const first = against.value;
      choose(against, "base");
      const base = cells();
      choose(where, "1");
      const kept = against.value;
      choose(where, "0");
      choose(against, "alpha prompt");
      return { first, kept, base, prompt: cells() };
    """
    seen = json.loads(act(page, script, tmp_path))
    assert (seen["first"], seen["kept"]) == ("alpha merge", "base")
    assert seen["base"]["alpha prompt"] == [
        ["effect bad", "\u22121.5", "[\u22123.5, \u22120.5]"],
        ["effect good", "\u221232\u00a0%", "[\u221238, \u221218]"],
    ]
    delta, ratio = seen["prompt"]["base"]
    assert delta == ["effect good", "+1.5", "[0.5, 3.5]"]
    assert ratio == ["effect bad", "+46\u00a0%", "[22, 62]"]
    assert len(seen["base"]) == len([row for row in data.systems if row.decoding == "greedy"]) - 1


def test_tables_sort_by_number_and_back(page, data, tmp_path):
    script = """
      const table = document.querySelector("table.results");
      const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].dataset.value);
      const button = table.tHead.rows[0].cells[1].querySelector("button");
      button.click();
      const down = names();
      button.click();
      const delta = table.tHead.rows[0].cells[2].querySelector("button");
      const up = names();
      delta.click();
      return { down, up, last: names().at(-1) };
    """
    seen = json.loads(act(page, script, tmp_path))
    rows = sorted((row for row in data.systems if row.decoding == "greedy"), key=lambda row: -row.accuracy)
    accuracy = {row.system: row.accuracy for row in rows}
    assert [accuracy[name] for name in seen["down"]] == [row.accuracy for row in rows]
    assert [accuracy[name] for name in seen["up"]] == [row.accuracy for row in reversed(rows)]
    assert seen["last"] == "base"  # it has no difference from itself
