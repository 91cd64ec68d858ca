
"use strict";
// Texts come from a policy in training: they are only ever put in as text. `el` makes elements, and nothing reads HTML.
const $ = id => document.getElementById(id);
const read = id => JSON.parse($(id).textContent);
const el = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null));
  return made;
};
// A row: key, run, group, step, score, advantage, characters, quadrant, flags, reason, and from FIRST on its components.
const {rows, chunk, components} = read("data"), FIRST = 10;
const SHORT = {both: "right, right", lucky: "right, wrong", saw: "wrong, right", neither: "wrong, wrong"};
const COLUMNS = [["rollout", 0], ["group", 2], ["step", 3], ["score", 4], ...components.map((name, n) => [name, FIRST + n]),
  ["advantage", 5], ["characters", 6], ["answer, seeing", 7]];
const PAGE = 50;
const number = value => value === null || value === undefined ? "–" : Number.isInteger(value) ? String(value) : value.toFixed(2);
const linkTo = place => "#rollout=" + encodeURIComponent(rows[place][0]);

// Light or dark: as the system has it, until the button says otherwise.
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };
theme();
dark.addEventListener("change", theme);
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
});

// Texts are parsed when one of their chunk is first looked at.
const chunks = new Map();
const detail = place => {
  const at = Math.floor(place / chunk);
  if (!chunks.has(at)) chunks.set(at, read("texts-" + at));
  return chunks.get(at)[place % chunk];
};
let formulas = null;
const formula = latex => {
  formulas = formulas || read("math");
  const source = Object.hasOwn(formulas, latex) ? formulas[latex] : null;
  if (source === null) return null;
  const parsed = new DOMParser().parseFromString(source, "application/xml");
  return parsed.querySelector("parsererror") ? null : document.importNode(parsed.documentElement, true);
};
const FORMULA = /\$\$([^]+?)\$\$|\\\[([^]+?)\\\]|\\\(([^]+?)\\\)|(?<![\\$])\$(?!\s)([^$\n]{1,300}?)(?<![\s\\])\$(?!\d)|(\\boxed\{[^{}\n]*\})/g;

// A text with its formulas drawn and the words of its facts marked. marks: [start, end, class, number].
const marked = (text, marks) => {
  const out = document.createDocumentFragment(), pieces = [];
  for (const match of text.matchAll(FORMULA)) {
    const drawn = formula(match.slice(1).find(part => part !== undefined).trim());
    if (drawn) pieces.push([match.index, match.index + match[0].length, drawn]);
  }
  // A mark that ends inside a formula takes all of it.
  const grown = marks.map(([start, end, kind, n]) => {
    for (const [from, to] of pieces) { if (from < start && start < to) start = from; if (from < end && end < to) end = to; }
    return [start, end, kind, n];
  }).sort((one, other) => one[0] - other[0] || other[1] - one[1]);
  const plain = (start, end) => {
    const part = document.createDocumentFragment();
    let at = start;
    for (const [from, to, drawn] of pieces) {
      if (from < start || to > end) continue;
      part.append(text.slice(at, from), drawn);
      at = to;
    }
    part.append(text.slice(at, end));
    return part;
  };
  let at = 0;
  for (let place = 0; place < grown.length; place++) {
    const [start, end, kind, n] = grown[place];
    if (start < at) continue;
    // Facts that the same words carry share a mark.
    const numbers = grown.slice(place).filter(other => other[0] < end && other[0] >= start);
    const false_ = numbers.some(other => other[2] === "contradicted");
    out.append(plain(at, start));
    out.append(el("mark", {class: false_ ? "contradicted" : kind}, plain(start, end), el("sup", {}, numbers.map(other => other[3]).join(","))));
    at = end;
  }
  out.append(plain(at, text.length));
  return out;
};

let boxes = 0;
const textBox = (label, content) => {
  label += ", text " + ++boxes;
  const box = el("div", {class: "text", tabindex: "0", role: "region", "aria-label": label});
  box.append(content);
  return box;
};
const card = (place, title, open) => {
  const [response, leftOut, , answer, facts, parts, shares, where] = detail(place), row = rows[place];
  const marks = facts.map((fact, n) => [fact[3], fact[4], fact[5] === "not paid for" ? "idle" : fact[1] === (fact[5] ? "stated" : "contradicted") ? "contradicted" : "stated", n + 1])
    .filter(mark => mark[0] !== null);
  const value = (name, shown) => el("span", {}, name + " ", el("b", {}, shown));
  const made = el("div", {class: "rollout"}, title,
    el("p", {class: "parts"}, value("score", row[4] === null ? "missing: " + row[9] : number(row[4])),
      ...components.map((name, n) => value(name, number(row[FIRST + n]))),
      row[5] === null ? null : value("advantage", number(row[5]))));
  const reasons = Object.entries(shares).filter(([, share]) => Math.abs(share) >= 0.005).map(([name, share]) => `${name} ${share > 0 ? "+" : ""}${share.toFixed(2)}`);
  if (reasons.length) made.append(el("p", {class: "parts"}, "advantage from " + reasons.join(", ")));
  made.append(response === null ? el("p", {class: "quiet"}, "The response is not known: give the rollouts with --rollouts.") : textBox("Response " + row[0], marked(response, marks)));
  if (leftOut) made.append(el("p", {class: "quiet"}, leftOut + " further characters are not shown."));
  if (answer !== null) made.append(el("p", {class: "quiet"}, "right answer: ", marked(answer, [])));
  const stated = facts.filter(fact => fact[1] === "stated").length;
  if (facts.length) made.append(el("details", open ? {open: ""} : {}, el("summary", {}, `${stated} of ${facts.length} facts stated`), el("ol", {class: "facts"}, ...facts.map((fact, n) => el("li", {class: fact[1]},
    el("span", {class: "quiet"}, String(n + 1)), el("b", {}, fact[1] + (fact[2] === null ? "" : " " + fact[2].toFixed(2))),
    el("span", {}, marked(fact[0], []), fact[5] ? el("span", {class: "quiet"}, ` (${fact[5]})`) : ""))))));
  made.append(el("p", {class: "quiet"}, where));
  return made;
};
const questionOf = place => detail(place)[2];
const linked = (place, label) => el("h3", {}, label + " ", el("a", {href: linkTo(place)}, rows[place][0]));

for (const pair of document.querySelectorAll(".pair")) {
  const best = Number(pair.dataset.best), worst = Number(pair.dataset.worst), asked = questionOf(best);
  if (asked) pair.append(el("div", {class: "question"}, textBox("Question of " + rows[best][2], marked(asked, []))));
  pair.append(card(best, linked(best, "best")), card(worst, linked(worst, "worst")));
}

// The table: filtered, sorted, a page of it at a time.
let order = null, sorted = [4, -1], page = 0;
const filter = () => {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean), deep = $("texts").checked;
  const [run, where, flag] = ["run", "quadrant", "flag"].map(id => $(id).value);
  order = [];
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place];
    if (run && row[1] !== run || where && row[7] !== where) continue;
    if (flag === "missing" ? row[4] !== null : flag && !(" " + row[8] + " ").includes(" " + flag + " ")) continue;
    if (words.length) {
      let text = row[0] + " " + row[2];
      if (deep) text += " " + (detail(place)[0] || "") + " " + (detail(place)[2] || "");
      text = text.toLowerCase();
      if (!words.every(word => text.includes(word))) continue;
    }
    order.push(place);
  }
  const [column, way] = sorted;
  order.sort((one, other) => {
    const a = rows[one][column], b = rows[other][column];
    if (a === b) return one - other;
    if (a === null || a === "") return 1;
    if (b === null || b === "") return -1;
    return (typeof a === "number" ? a - b : String(a).localeCompare(String(b), undefined, {numeric: true})) * way;
  });
  page = 0;
  show();
};
const show = () => {
  const pages = Math.max(1, Math.ceil(order.length / PAGE));
  $("table").tBodies[0].replaceChildren(...order.slice(page * PAGE, (page + 1) * PAGE).map(place => {
    const row = rows[place], cells = COLUMNS.slice(1).map(([, at]) => el("td", at > 2 && at !== 7 ? {class: "n"} : {},
      at === 7 ? SHORT[row[7]] || "" : at === 2 ? row[2] : at === 4 && row[4] === null ? "missing" : number(row[at])));
    return el("tr", {}, el("td", {}, el("a", {href: linkTo(place)}, row[0])), ...cells);
  }));
  $("count").textContent = order.length.toLocaleString("en") + (order.length === 1 ? " rollout" : " rollouts");
  $("page").textContent = `page ${page + 1} of ${pages}`;
  $("previous").disabled = page === 0;
  $("next").disabled = page + 1 >= pages;
  for (const head of $("table").tHead.rows[0].cells) {
    const way = Number(head.dataset.column) === sorted[0] ? (sorted[1] > 0 ? "ascending" : "descending") : "none";
    head.setAttribute("aria-sort", way);
  }
};
$("table").tHead.append(el("tr", {}, ...COLUMNS.map(([name, at]) => {
  const button = el("button", {type: "button"}, name);
  button.addEventListener("click", () => { sorted = [at, sorted[0] === at ? -sorted[1] : at < 3 ? 1 : -1]; filter(); });
  return el("th", {scope: "col", "data-column": String(at), class: at > 2 && at < 11 ? "n" : ""}, button);
})));
let waiting = 0;
$("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
for (const id of ["texts", "run", "quadrant", "flag"]) $(id).addEventListener("change", filter);
$("filters").addEventListener("submit", event => event.preventDefault());
$("previous").addEventListener("click", () => { page--; show(); });
$("next").addEventListener("click", () => { page++; show(); });
for (const button of document.querySelectorAll("button[data-run]")) button.addEventListener("click", () => {
  $("search").value = "";
  $("run").value = button.dataset.run;
  $("quadrant").value = button.dataset.quadrant || "";
  $("flag").value = button.dataset.flag || "";
  filter();
  $("rollouts").scrollIntoView();
  $("search").focus({preventScroll: true});
});

// Deep links: #rollout=RUN/ID opens it, and closing it goes back to the page.
const places = new Map(rows.map((row, place) => [row[0], place]));
let back = "";
const open = () => {
  const hash = location.hash;
  if (!hash.startsWith("#rollout=")) { back = hash; if ($("detail").open) $("detail").close(); return; }
  let key = hash.slice(9);
  try { key = decodeURIComponent(key); } catch { /* as it stands */ }
  const place = places.get(key), close = el("button", {type: "button"}, "Close");
  close.addEventListener("click", () => $("detail").close());
  const head = el("div", {class: "bar"}, el("h2", {id: "detail-h"}, key), close);
  if (place === undefined) $("detail").replaceChildren(head, el("p", {}, "No rollout of this name is listed here."));
  else {
    const asked = questionOf(place);
    $("detail").replaceChildren(head, ...(asked ? [el("div", {class: "question"}, textBox("Question", marked(asked, [])))] : []), card(place, null, true));
  }
  if (!$("detail").open) $("detail").showModal();
  $("detail").scrollTop = 0;
  close.focus();
};
$("detail").addEventListener("close", () => { if (location.hash.startsWith("#rollout=")) history.replaceState(null, "", back || location.pathname + location.search); });
addEventListener("hashchange", open);
filter();
open();

