"""The page in a real browser: it renders without script errors, and its tables and its explorer react."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=10000",
)  # fmt: skip


def load(page, tmp_path, fragment="", size="1280,900"):
    """The page's final DOM, and what it wrote to the console (errors, refused requests)."""
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={size}", "--dump-dom"]
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
    assert f'id="path-title">{data.paths[0].problem_id}</h3>' in dom
    assert f"{len(data.paths)} of {len(data.paths)}" in dom
    assert "<title>" + data.title in dom  # no text of a model has run and changed it


def test_an_error_would_be_noticed(page, tmp_path):
    broken = page.replace('id="path-tag"', 'id="path-tags"')
    _, console = load(broken, tmp_path)
    assert any("TypeError" in line for line in console)


def test_a_link_to_a_path_opens_it(page, data, tmp_path):
    wanted = data.paths[-1]
    dom, console = load(page, tmp_path, fragment=f"#path={wanted.problem_id}")
    assert console == []
    assert f'id="path-title">{wanted.problem_id}</h3>' in dom


def test_a_wide_or_narrow_page_never_scrolls_sideways(page, tmp_path):
    for size in ("1280,900", "420,900"):
        script = "return document.documentElement.scrollWidth - innerWidth;"
        assert int(act(page, script, tmp_path, size=size)) <= 0


def test_the_explorer_shows_rounds_reasons_and_the_kept_step(page, data, tmp_path):
    path = next(p for p in data.paths if "switched" in p.tags)
    script = """
      const cards = [...document.querySelectorAll("#path .round")].map((round) => ({
        kept: round.querySelectorAll(".card.kept").length, sides: round.querySelectorAll(".card").length,
        reason: round.querySelector(".reason").textContent }));
      const marks = [...document.querySelectorAll("#path .card.kept mark")].map((mark) => mark.textContent);
      return { cards, marks };
    """
    outcome = act(page, script, tmp_path, fragment=f"#path={path.problem_id}")
    shown = json.loads(outcome)
    assert [card["sides"] for card in shown["cards"]] == [len(r.sides) for r in path.rounds]
    assert [card["kept"] for card in shown["cards"]] == [sum(s.kept for s in r.sides) for r in path.rounds]
    for card, round_ in zip(shown["cards"], path.rounds, strict=True):
        assert card["reason"].endswith(f"kept: {round_.reason}.")
    assert shown["marks"] == [side.step for round_ in path.rounds for side in round_.sides if side.kept]


def test_searching_filtering_and_stepping(page, data, tmp_path):
    script = """
      const title = () => document.getElementById("path-title").textContent;
      const fire = (id, value) => {
        const field = document.getElementById(id);
        field.value = value;
        field.dispatchEvent(new Event("input"));
      };
      const seen = { first: title() };
      [...document.querySelectorAll(".step-through button")].find((b) => b.textContent === "Next").click();
      seen.next = title();
      seen.address = location.hash;
      document.querySelectorAll("#path-list button")[4].click();
      seen.fifth = title();
      document.getElementById("path-list").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
      seen.above = title();
      fire("path-tag", "unsolved");
      seen.unsolved = document.getElementById("path-count").textContent;
      fire("path-tag", "");
      fire("path-search", "WANTED");
      seen.found = document.getElementById("path-count").textContent;
      fire("path-search", "no such thing");
      seen.none = document.getElementById("path").textContent;
      return seen;
    """.replace("WANTED", data.paths[7].problem_id.upper())
    seen = json.loads(act(page, script, tmp_path))
    ids = [path.problem_id for path in data.paths]
    assert (seen["first"], seen["next"], seen["fifth"], seen["above"]) == (ids[0], ids[1], ids[4], ids[3])
    assert seen["address"] == f"#path={ids[1]}"
    assert seen["unsolved"] == f"{sum('unsolved' in path.tags for path in data.paths)} of {len(ids)}"
    assert seen["found"] == f"1 of {len(ids)}"
    assert seen["none"] == "No problem fits."


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
