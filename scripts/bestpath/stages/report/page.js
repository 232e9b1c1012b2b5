"use strict";

/** An element with a class and children; children that are strings become text, never markup. */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter(Boolean));
  return element;
}

const number = (text) => text.replace("-", "\u2212");

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

/* Any two systems */

/** The pairs of n systems stand in the order (0, 1), (0, 2), ..., (1, 2), ...: the place of one of them. */
const place = (i, j, n) => i * n - (i * (i + 1)) / 2 + (j - i - 1);

/** How system i compares with system j, in points or in percent of change: value, low, high. */
function compared(list, i, j, n, ratio) {
  const known = list[i < j ? place(i, j, n) : place(j, i, n)];
  if (!known) return null;
  let [value, low, high] = known;
  if (i > j) {
    const turn = (x) => (x === null ? null : ratio ? 1 / x : -x);
    [value, low, high] = [turn(value), turn(high), turn(low)];
  }
  const shown = (x) => (x === null ? null : 100 * (ratio ? x - 1 : x));
  return [shown(value), shown(low), shown(high)];
}

function drawn(path, className) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  element.setAttribute("d", path);
  element.setAttribute("class", className);
  return element;
}

/** A cell that shows a difference on the scale of its column, as the result tables do. */
function effectCell(bounds, column, better, unit) {
  if (!bounds) {
    const cell = make("td", "effect none", "\u2013");
    cell.dataset.value = "";
    return cell;
  }
  const [value, low, high] = bounds;
  const ends = [0, ...column.filter(Boolean).flat().filter((x) => x !== null)];
  const bottom = Math.min(...ends);
  const width = Math.max(...ends) - bottom || 1;
  const at = (x) => 4 + (92 * (x - bottom)) / width;
  const digits = unit && Math.abs(value) >= 1 ? 0 : 1;
  const sign = value < 0 ? "" : "+";
  const text = make("b", "", number(sign + value.toFixed(digits)) + unit);
  const known = low !== null && high !== null;
  const interval = known ? `[${number(low.toFixed(digits))}, ${number(high.toFixed(digits))}]` : "";
  const sense = !known || (low <= 0 && high >= 0) ? "none" : value * better > 0 ? "good" : "bad";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, setting] of [["class", "forest"], ["viewBox", "0 0 100 10"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) {
    svg.setAttribute(name, setting);
  }
  svg.append(
    drawn(`M${at(0)} 0V10`, "zero"),
    drawn(`M${at(known ? low : value)} 5H${at(known ? high : value)}`, "bar"),
    drawn(`M${at(value)} 5h.01`, "dot"),
  );
  const cell = make("td", `effect ${sense}`, make("span", "number", text, " ", make("small", "", interval)), svg);
  cell.dataset.value = value;
  return cell;
}

function makeAnyTwo(root) {
  const settings = JSON.parse(root.querySelector("script").textContent);
  const [where, against] = ["setting", "against"].map((name) => root.querySelector(`select[name="${name}"]`));
  const body = root.querySelector("tbody");
  let chosen = root.dataset.start;

  function show() {
    const { systems, accuracy, tokens } = settings[where.value];
    const n = systems.length;
    const other = Math.max(0, systems.indexOf(chosen));
    against.replaceChildren(...systems.map((name) => new Option(name, name)));
    against.value = systems[other];
    const others = systems.map((_, i) => i).filter((i) => i !== other);
    const [points, lengths] = [accuracy, tokens].map((list, k) => others.map((i) => compared(list, i, other, n, k === 1)));
    body.replaceChildren(
      ...others.map((i, row) => {
        const name = make("th", "", systems[i]);
        name.scope = "row";
        name.dataset.value = systems[i];
        return make("tr", "", name, effectCell(points[row], points, 1, ""), effectCell(lengths[row], lengths, -1, "\u00a0%"));
      }),
    );
    for (const heading of root.querySelectorAll("th[aria-sort]")) heading.removeAttribute("aria-sort");
  }

  where.addEventListener("input", show);
  against.addEventListener("input", () => {
    chosen = against.value;
    show();
  });
  root.hidden = false;
  show();
}

/* Path explorers */

const VERDICTS = {
  correct: ["\u2713 correct", "correct"],
  wrong: ["\u2717 wrong", "wrong"],
  no_answer: ["no answer", ""],
  timeout: ["undecided", ""],
};

function verdictOf(item) {
  if (item.verdict === null) return item.answer !== null && make("span", "", item.answer);
  const [text, className] = VERDICTS[item.verdict] || [item.verdict.replaceAll("_", " "), ""];
  return make("span", className, item.answer === null ? text : `${text}: ${item.answer}`);
}

const tokens = (n) => n !== null && make("span", "", `${n} token${n === 1 ? "" : "s"}`);

function alternativeCard(item, { tones, badge }) {
  const title = make("b", "", item.title);
  if (tones[item.title]) title.style.color = `var(--${tones[item.title]})`;
  const head = make("div", "head", title, item.kept && make("span", "badge", badge), verdictOf(item), tokens(item.tokens));
  for (const [name, score] of item.scores) head.append(make("span", "", number(`${name} ${score.toPrecision(3)}`)));
  if (item.finish !== "stop") head.append(make("span", "wrong", item.finish === "length" ? "cut off" : "failed"));
  const text = make("pre", "", item.before, item.kept_part && make("mark", "", item.kept_part), item.after);
  return make("div", item.kept ? "card kept" : "card", head, text, item.note && make("small", "", item.note));
}

function roundOf(round, look) {
  const why = make("p", "reason", make("b", "", round.outcome), `: ${round.why}.`);
  return make(
    "section",
    round.alternatives.some((item) => item.kept) ? "round kept" : "round",
    make("h4", "", round.title),
    make("div", "sides", ...round.alternatives.map((item) => alternativeCard(item, look))),
    why,
  );
}

function answerCard(answer, most) {
  const head = make("div", "head", make("b", "", answer.system), verdictOf(answer), tokens(answer.tokens));
  if (answer.note) head.append(make("span", "", answer.note));
  const meter = make("div", "meter", make("i", ""));
  meter.firstChild.style.setProperty("--share", `${(100 * answer.tokens) / most}%`);
  return make("div", answer.best ? "card kept" : "card", head, meter, make("pre", "", answer.text));
}

function conclusion(path) {
  if (path.answers.length === 0) return null;
  const most = Math.max(1, ...path.answers.map((answer) => answer.tokens));
  const cards = path.answers.map((answer) => answerCard(answer, most));
  return make("section", "", make("h4", "", path.conclusion), make("div", "answers", ...cards));
}

function makeExplorer(root) {
  const { paths, ...look } = JSON.parse(root.querySelector("script").textContent);
  const [detail, list, search, tag, count] = ["article", "ol", "input", "select", ".found"].map((name) =>
    root.querySelector(name),
  );
  const labels = Object.fromEntries([...tag.options].map((option) => [option.value, option.textContent]));
  let shown = [];
  let current = null;

  function show(path) {
    current = path;
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset.id === path.id));
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
    detail.replaceChildren(
      make(
        "div",
        "top",
        make("h3", "", path.id),
        path.gold !== null && make("span", "", `gold answer ${path.gold}`),
        make("div", "step-through", step("Previous", at - 1), step("Next", at + 1)),
      ),
      make("p", "question", path.question),
      make("ul", "chips", ...path.tags.map((name) => make("li", "", labels[name] || name))),
      ...path.rounds.map((round) => roundOf(round, look)),
      make("p", "end", path.end),
    );
    const compared = conclusion(path);
    if (compared) detail.append(compared);
  }

  function select(path) {
    history.replaceState(null, "", `#${root.id}=${encodeURIComponent(path.id)}`);
    show(path);
    reveal();
  }

  function reveal() {
    const button = list.querySelector('[aria-current="true"]');
    if (button) list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
  }

  function listItem(path) {
    const button = make("button", "", make("span", "", path.question), make("small", "", path.summary));
    button.type = "button";
    button.dataset.id = path.id;
    button.addEventListener("click", () => select(path));
    return make("li", "", button);
  }

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    shown = paths.filter(
      (path) =>
        (!tag.value || path.tags.includes(tag.value)) &&
        [path.id, path.question, path.gold || ""].some((text) => text.toLowerCase().includes(wanted)),
    );
    list.replaceChildren(...shown.map(listItem));
    count.textContent = `${shown.length} of ${paths.length}`;
    if (shown.length === 0) detail.replaceChildren(make("p", "", "No problem fits."));
    else show(shown.includes(current) ? current : shown[0]);
  }

  function fromAddress() {
    const [explorer, id] = location.hash.slice(1).split("=").map(decodeURIComponent);
    const path = explorer === root.id && paths.find((candidate) => candidate.id === id);
    if (!path) return;
    show(path);
    reveal();
    root.scrollIntoView({ behavior: "instant" });
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
  root.hidden = false;
  filter();
  fromAddress();
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll(".any-two").forEach(makeAnyTwo);
document.querySelectorAll(".explorer").forEach(makeExplorer);
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((details) => (details.open = true));
});
