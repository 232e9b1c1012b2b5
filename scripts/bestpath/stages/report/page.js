"use strict";

/** An element with a class and children; children that are strings become text, never markup. */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter(Boolean));
  return element;
}

/* Sortable tables: every heading becomes a button. Empty values always come last. */
function makeSortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = make("button", "", heading.textContent);
    button.type = "button";
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") !== "descending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortRows(table.tBodies[0], column, descending ? -1 : 1);
    });
  });
}

function sortRows(body, column, sign) {
  const value = (row) => row.cells[column].dataset.value;
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    const numbers = x - y;
    return sign * (Number.isNaN(numbers) ? x.localeCompare(y) : numbers);
  };
  body.append(...[...body.rows].sort(compare));
}

/* Path explorer */

const VERDICTS = {
  correct: ["\u2713 correct", "correct"],
  wrong: ["\u2717 wrong", "wrong"],
  no_answer: ["no answer", ""],
  timeout: ["undecided", ""],
};

function verdictOf(item) {
  const [text, className] = VERDICTS[item.verdict];
  return make("span", className, item.answer === null ? text : `${text}: ${item.answer}`);
}

const tokens = (n) => `${n} token${n === 1 ? "" : "s"}`;
const minus = (text) => text.replace("-", "\u2212");

function sideCard(side) {
  const badge = side.kept && make("span", "badge", "kept");
  const head = make("div", "head", make("b", side.mode, side.mode), badge, verdictOf(side), make("span", "", tokens(side.tokens)));
  if (side.reward !== null) head.append(make("span", "", minus(`reward ${side.reward.toPrecision(3)}`)));
  if (side.finish !== "stop") head.append(make("span", "wrong", side.finish === "length" ? "cut off" : "failed"));
  const text = make("pre", "", side.before, side.step && make("mark", "", side.step), side.after);
  const reject = side.step_reject && make("small", "", `no usable step: ${side.step_reject.replaceAll("_", " ")}`);
  return make("div", side.kept ? "card kept" : "card", head, text, reject);
}

function roundOf(round) {
  const kept = round.sides.find((side) => side.kept);
  const why = make("p", "reason", kept ? make("b", "", `${kept.mode} kept`) : make("b", "", "nothing kept"));
  why.append(`: ${round.reason}.`);
  return make(
    "section",
    kept ? "round kept" : "round",
    make("h4", "", `Round ${round.number}`),
    make("div", "sides", ...round.sides.map(sideCard)),
    why,
  );
}

function answerCard(answer, most, best) {
  const head = make("div", "head", make("b", "", answer.system), verdictOf(answer), make("span", "", tokens(answer.tokens)));
  if (answer.note) head.append(make("span", "", answer.note));
  const meter = make("div", "meter", make("i", ""));
  meter.firstChild.style.setProperty("--share", `${(100 * answer.tokens) / most}%`);
  return make("div", best ? "card kept" : "card", head, meter, make("pre", "", answer.text));
}

function comparison(path) {
  const answers = [...(path.optimal ? [path.optimal] : []), ...path.answers];
  if (answers.length === 0) return null;
  const most = Math.max(...answers.map((answer) => answer.tokens));
  const title = path.optimal
    ? "The optimal path" + (path.answers.length ? ` against ${path.answers[0].system}` : "")
    : "Unsolved: no candidate is correct";
  const cards = answers.map((answer) => answerCard(answer, most, answer === path.optimal));
  return make("section", "", make("h4", "", title, saving(path)), make("div", "answers", ...cards));
}

function saving(path) {
  if (!path.optimal || path.answers.length === 0) return "";
  const share = Math.round(100 * (1 - path.optimal.tokens / path.answers[0].tokens));
  return share >= 0 ? `: ${share} % fewer tokens` : `: ${-share} % more tokens`;
}

function makeExplorer(paths) {
  const detail = document.getElementById("path");
  const [list, search, tag, count] = ["list", "search", "tag", "count"].map((name) =>
    document.getElementById(`path-${name}`),
  );
  const labels = Object.fromEntries([...tag.options].map((option) => [option.value, option.textContent]));
  let shown = [];
  let current = null;

  function show(path) {
    current = path;
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset.id === path.problem_id));
    }
    const at = shown.indexOf(path);
    const step = (text, to) => {
      const button = make("button", "", text);
      button.type = "button";
      button.name = text;
      button.disabled = !shown[to];
      button.addEventListener("click", () => {
        select(shown[to]);
        detail.querySelector(`button[name="${text}"]`).focus();
      });
      return button;
    };
    const title = make("h3", "", path.problem_id);
    title.id = "path-title";
    detail.replaceChildren(
      make(
        "div",
        "top",
        title,
        make("span", "", `gold answer ${path.gold}`),
        make("div", "step-through", step("Previous", at - 1), step("Next", at + 1)),
      ),
      make("p", "question", path.question),
      make("ul", "chips", ...path.tags.map((name) => make("li", "", labels[name] || name))),
      ...path.rounds.map(roundOf),
      make("p", "end", path.end),
    );
    const compared = comparison(path);
    if (compared) detail.append(compared);
  }

  function select(path) {
    history.replaceState(null, "", `#path=${encodeURIComponent(path.problem_id)}`);
    show(path);
    reveal();
  }

  function reveal() {
    const button = list.querySelector('[aria-current="true"]');
    if (button) list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
  }

  function listItem(path) {
    const base = path.answers[0];
    const facts = [path.optimal ? `solved in ${tokens(path.optimal.tokens)}` : "unsolved"];
    if (base) facts.push(`${base.system}: ${base.tokens}`);
    const button = make("button", "", make("span", "", path.question), make("small", "", facts.join("; ")));
    button.type = "button";
    button.dataset.id = path.problem_id;
    button.addEventListener("click", () => select(path));
    return make("li", "", button);
  }

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    shown = paths.filter(
      (path) =>
        (!tag.value || path.tags.includes(tag.value)) &&
        [path.problem_id, path.question, path.gold].some((text) => text.toLowerCase().includes(wanted)),
    );
    list.replaceChildren(...shown.map(listItem));
    count.textContent = `${shown.length} of ${paths.length}`;
    if (shown.length === 0) detail.replaceChildren(make("p", "", "No problem fits."));
    else show(shown.includes(current) ? current : shown[0]);
  }

  function fromAddress() {
    const id = decodeURIComponent((location.hash.match(/^#path=(.*)$/) || [])[1] || "");
    const path = paths.find((candidate) => candidate.problem_id === id);
    if (!path) return;
    show(path);
    reveal();
    document.getElementById("paths").scrollIntoView({ behavior: "instant" });
  }

  search.addEventListener("input", filter);
  tag.addEventListener("input", filter);
  window.addEventListener("hashchange", fromAddress);
  list.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const to = shown[shown.indexOf(current) + move];
    if (!move || !to) return;
    event.preventDefault();
    select(to);
    list.querySelector('[aria-current="true"]').focus();
  });
  document.getElementById("explorer").hidden = false;
  filter();
  fromAddress();
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
const pathData = document.getElementById("path-data");
if (pathData) makeExplorer(JSON.parse(pathData.textContent));
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((details) => (details.open = true));
});
