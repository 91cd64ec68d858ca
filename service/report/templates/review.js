"use strict";
// Facts and chains of thought come from models: they are only ever put in as text. `el` makes elements, and nothing reads HTML.
const $ = id => document.getElementById(id);
const el = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null));
  return made;
};
const data = JSON.parse($("data").textContent), {facts, decisions, served} = data;
const [PROBLEM, ID, TEXT, KIND, ORIGIN, SOURCE, POLARITY, WHERE, CONFIDENCE] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const WORDS = {accept: "accepted", reject: "rejected", edit: "edited"};
const count = value => value.toLocaleString("en");

// Light or dark: as the system has it, until the button says otherwise.
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };
theme();
dark.addEventListener("change", theme);
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
});

const complain = message => { $("alert").textContent = message; $("alert").hidden = !message; };

// A page that is a file keeps its decisions in the browser, where that has a store, until they are downloaded.
const KEPT = "perception-reward-review-" + data.name;
const remembered = () => { try { return JSON.parse(localStorage.getItem(KEPT)) || {}; } catch { return {}; } };
const times = {};
if (!served) {
  const kept = remembered();
  for (const [place, said] of Object.entries(kept.decisions || {})) { decisions[place] = said.slice(0, 2); times[place] = said[2]; }
  data.reviewer = kept.reviewer || data.reviewer;
}
$("reviewer").value = data.reviewer;
$("reviewer").readOnly = served;
const keep = () => {
  const said = {};
  decisions.forEach((one, place) => { if (one) said[place] = [...one, times[place]]; });
  try { localStorage.setItem(KEPT, JSON.stringify({reviewer: $("reviewer").value, decisions: said})); }
  catch { complain("This browser keeps nothing: download the decisions before you close the page."); }
};
const record = place => {
  const [problem, fact, text] = facts[place], [decision, edited] = decisions[place] || [null, null];
  return {annotation: data.problems[problem], fact, text, decision, ...(edited ? {edited} : {})};
};

// Decisions are sent one after another, and the page goes on at once; what is not saved comes back with the reason.
let sending = Promise.resolve();
const save = (place, before) => {
  if (!served) { times[place] = new Date().toISOString(); keep(); return; }
  const body = JSON.stringify(record(place));
  sending = sending.then(async () => {
    try {
      const answer = await fetch("/decisions", {method: "POST", headers: {"Content-Type": "application/json"}, body});
      if (!answer.ok) throw new Error((await answer.json()).detail);
      complain("");
      later();
    } catch (error) {
      decisions[place] = before;
      complain(`Not saved: ${data.problems[facts[place][PROBLEM]]}, “${facts[place][TEXT]}”. ` +
        (error instanceof TypeError ? "The command that serves this page does not answer; start it again, and reload." : error.message));
      show();
    }
  });
};

let at = 0;
const undecided = from => {
  for (let step = 0; step < facts.length; step++) {
    const place = (from + step) % facts.length;
    if (!decisions[place]) return place;
  }
  return -1;
};
const go = place => {
  at = Math.min(Math.max(place, 0), facts.length - 1);
  history.replaceState(null, "", "#" + (at + 1));
  stopEditing();
  show();
};
const decide = (decision, edited = null) => {
  const before = decisions[at];
  decisions[at] = decision && [decision, edited];
  save(at, before);
  const said = decision ? WORDS[decision][0].toUpperCase() + WORDS[decision].slice(1) : "Taken back";
  if (decision) go(at + 1 < facts.length ? at + 1 : at); else show();
  $("live").textContent = `${said}. ${$("fact-h").textContent}: ${facts[at][TEXT]}`;
};
const startEditing = () => {
  const said = decisions[at];
  $("edited").value = said && said[1] || facts[at][TEXT];
  $("editing").hidden = false;
  $("edited").focus();
};
const stopEditing = () => {
  if ($("editing").hidden) return;
  $("editing").hidden = true;
  $("fact").focus({preventScroll: true});
};
const finishEditing = () => {
  const words = $("edited").value.trim().replace(/\s+/g, " ");
  if (!words) return complain("The right words are empty: reject the fact if there are none.");
  stopEditing();
  if (words === facts[at][TEXT]) decide("accept"); else decide("edit", words);
};

const textBox = (label, content) => {
  const box = el("div", {class: "text", tabindex: "0", role: "region", "aria-label": label});
  box.append(content);
  return box;
};
const group = place => {
  let first = place, last = place;
  while (first > 0 && facts[first - 1][PROBLEM] === facts[place][PROBLEM]) first--;
  while (last + 1 < facts.length && facts[last + 1][PROBLEM] === facts[place][PROBLEM]) last++;
  return [first, last];
};
const show = () => {
  const row = facts[at], said = decisions[at], done = decisions.filter(Boolean).length;
  $("progress").textContent = `${count(done)} of ${count(facts.length)} decided`;
  $("bar").style.width = 100 * done / facts.length + "%";
  $("fact-h").textContent = `Fact ${count(at + 1)} of ${count(facts.length)}`;
  $("statement").textContent = (row[WHERE] ? row[WHERE] + " " : "") + row[TEXT];
  $("fact").className = "card " + (said ? said[0] : "");
  const part = (name, value) => el("span", {}, name + " ", el("b", {}, value));
  $("about").replaceChildren(part("kind", row[KIND]), part("known from", row[ORIGIN] === "seen" ? "the image" : row[ORIGIN] === "given" ? "the question" : "reasoning"), part("source", row[SOURCE]),
    ...(row[CONFIDENCE] === null ? [] : [part("confidence", row[CONFIDENCE].toFixed(2))]),
    ...(row[POLARITY] === "distractor" ? [el("span", {class: "badge"}, "distractor: accept it if it is false of the image")] : []),
    ...(said && said[1] ? [part("edited to", said[1])] : []));
  for (const name of ["accept", "reject", "edit"]) $(name).setAttribute("aria-pressed", String(Boolean(said && said[0] === name)));
  $("undo").disabled = !said;
  $("previous").disabled = at === 0;
  $("next").disabled = at + 1 >= facts.length;
  $("open").disabled = done === facts.length;
  const [first, last] = group(at);
  $("beside").replaceChildren(...facts.slice(first, last + 1).map((other, n) => {
    const mine = decisions[first + n], button = el("button", {type: "button", class: mine ? mine[0] : "", ...(first + n === at ? {"aria-current": "true"} : {})},
      el("b", {}, mine ? WORDS[mine[0]] : "–"), el("span", {}, mine && mine[1] ? el("s", {}, other[TEXT]) : other[TEXT], mine && mine[1] ? " " + mine[1] : null));
    button.addEventListener("click", () => { go(first + n); $("fact").focus({preventScroll: true}); });
    return el("li", {}, button);
  }));
  problem(row[PROBLEM]);
};

// The problem beside the fact: what is known of it is asked for once, and the next one's before it is needed.
const known = new Map(data.inside.map((one, place) => [place, Promise.resolve(one)]));
const detail = place => {
  if (!known.has(place)) {
    known.set(place, fetch(`/problems/${place}`).then(async answer => {
      if (!answer.ok) throw new Error((await answer.json()).detail);
      return answer.json();
    }));
    known.get(place).catch(() => known.delete(place));
  }
  return known.get(place);
};
let shown = -1;
const problem = async place => {
  $("problem-h").textContent = "Problem " + data.problems[place];
  let found;
  try { found = await detail(place); } catch (error) { shown = -1; return complain(`Problem ${data.problems[place]} cannot be shown: ${error.message}`); }
  if (facts[at][PROBLEM] !== place) return;
  if (shown !== place) {
    shown = place;
    $("images").replaceChildren(...found.images.map((one, n) => {
      const name = found.images.length > 1 ? `Image ${n + 1}` : "The image";
      if (!one.url) return el("p", {class: "warn"}, `${name}, ${one.name}, is not shown: ${one.why}.`);
      const drawn = el("img", {src: one.url, alt: `${name} of problem ${data.problems[place]}`});
      const figure = el("figure", {}, drawn, el("figcaption", {}, one.name));
      drawn.addEventListener("error", () => figure.replaceChildren(el("p", {class: "warn"}, `${name}, ${one.name}, cannot be drawn.`)));
      return figure;
    }));
    if (!found.images.length) $("images").replaceChildren(el("p", {class: "quiet"}, "The annotation names no image."));
    $("asked").replaceChildren(...(found.question ? [el("h3", {}, "Question"), textBox("Question", [found.question, ...found.choices].join("\n"))] : []),
      ...(found.answer ? [el("p", {class: "quiet"}, "reference answer: " + found.answer)] : []));
  }
  $("told").replaceChildren(...told(found));
  const marked = document.querySelector("#told mark");
  if (marked) { const box = marked.closest(".text"); box.scrollTop = Math.max(0, marked.offsetTop - box.offsetTop - box.clientHeight / 3); }
  if (place + 1 < data.problems.length) detail(place + 1).then(next => next.images.forEach(one => { if (one.url && served) new Image().src = one.url; })).catch(() => {});
};
// Trajectories, the ones that make this statement first, with the words that it rests on.
const told = found => {
  const rows = found.trajectories.map(one => [one, one.quotes[facts[at][ID]]]).sort((one, other) => Boolean(other[1]) - Boolean(one[1]));
  return rows.map(([one, quote], n) => {
    const content = document.createDocumentFragment();
    if (quote && quote[1] !== null) {
      // The places count characters, as Python does.
      const all = Array.from(one.response), cut = (from, to) => all.slice(from, to).join("");
      content.append(cut(0, quote[1]), el("mark", {}, cut(quote[1], quote[2])), cut(quote[2]));
    } else content.append(one.response);
    return el("details", n === 0 ? {open: ""} : {}, el("summary", {}, one.title + (quote ? ", which says so" : "")),
      ...(quote && quote[1] === null ? [el("p", {class: "warn"}, `It is said to rest on “${quote[0]}”, which does not stand there.`)] : []),
      textBox(one.title, content));
  });
};

// Figures: made by the command, a moment after the last decision.
let waiting = 0;
const share = one => one.value === null ? "–" : `${(100 * one.value).toFixed(1)} % (${(100 * one.low).toFixed(1)} to ${(100 * one.high).toFixed(1)})`;
const table = (title, groups) => el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Right, by " + title}, el("table", {},
  el("thead", {}, el("tr", {}, el("th", {scope: "col"}, title), el("th", {scope: "col", class: "n"}, "facts"), el("th", {scope: "col", class: "n"}, "right (95 %)"))),
  el("tbody", {}, ...Object.entries(groups).map(([name, one]) => el("tr", {}, el("th", {scope: "row"}, name), el("td", {class: "n"}, String(one.total)), el("td", {class: "n"}, share(one)))))));
const figures = async () => {
  let found;
  try { found = await (await fetch("/figures")).json(); } catch { return; }
  const mine = found.reviewers[data.reviewer];
  $("figures").hidden = !mine && !found.agreement.length;
  const cards = mine && mine.total.total ? [el("div", {}, el("h3", {}, "Right by kind"), table("kind", {"all kinds": mine.total, ...mine.kinds})),
    el("div", {}, el("h3", {}, "Right by source"), table("source", mine.sources))] : [];
  if (found.agreement.length) cards.push(el("div", {}, el("h3", {}, "Two reviewers"), ...found.agreement.map(pair => el("p", {},
    `${pair.one} and ${pair.other} agree on ${pair.agreed.hits} of ${pair.agreed.total} facts, ${share(pair.agreed)}; Cohen's kappa ` +
    (pair.kappa.value === null ? "cannot be told, as both say the same of all." : pair.kappa.value.toFixed(2) + (pair.kappa.low === null ? "." : ` (${pair.kappa.low.toFixed(2)} to ${pair.kappa.high.toFixed(2)}).`))))));
  $("numbers").replaceChildren(...cards);
};
const later = () => { clearTimeout(waiting); waiting = setTimeout(figures, 300); };

const acts = {
  accept: () => decide("accept"), reject: () => decide("reject"), edit: startEditing, undo: () => { if (decisions[at]) decide(null); },
  next: () => go(at + 1), previous: () => go(at - 1), open: () => { const place = undecided(at + 1); if (place >= 0) go(place); },
};
const KEYS = {a: "accept", r: "reject", e: "edit", u: "undo", n: "next", ArrowRight: "next", p: "previous", ArrowLeft: "previous", g: "open"};
for (const [name, act] of Object.entries(acts)) $(name).addEventListener("click", act);
addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target === $("edited")) {
    if (event.key === "Escape") stopEditing();
    else if (event.key === "Enter") finishEditing();
    else return;
    return event.preventDefault();
  }
  if (event.target instanceof HTMLInputElement) return;
  const name = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!name) return;
  event.preventDefault();
  acts[name]();
});
$("editing").addEventListener("submit", event => event.preventDefault());
$("reviewer").addEventListener("change", () => { if (!served) keep(); });
$("download").hidden = served;
$("download").addEventListener("click", () => {
  const reviewer = $("reviewer").value.trim();
  if (!reviewer) { complain("Say who you are before you download the decisions: the name stands in every line."); return $("reviewer").focus(); }
  const lines = decisions.map((one, place) => one ? JSON.stringify({...record(place), reviewer, time: times[place] || ""}) + "\n" : "").join("");
  const link = el("a", {href: URL.createObjectURL(new Blob([lines], {type: "application/x-ndjson"})), download: `decisions-${reviewer.replace(/[^\w-]+/g, "_")}.jsonl`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
addEventListener("hashchange", () => { const place = Number(location.hash.slice(1)) - 1; if (place >= 0 && place !== at) go(place); });

const named = Number(location.hash.slice(1)) - 1;
go(named >= 0 && named < facts.length ? named : Math.max(0, undecided(0)));
if (served) figures();
