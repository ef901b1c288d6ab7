// The page of a live run. It follows the run's events; where there are none it asks the server again and again instead.

import { RunNews } from "./announcer.js";
import { Course } from "./course.js";
import { aboutInWords, durationInWords } from "./durations.js";
import { showProgress } from "./live.js";
import { say } from "./messages.js";
import { sortRows } from "./sort.js";
import { TellMe } from "./tell-me.js";

const POLL_MS = 1000;
const TRY_AGAIN_MS = 15_000; // after a refusal, as the server asks for
const ASK_PAUSE_MS = 400;
const SILENT_MS = 11_000; // two tellings of the time (server/live/hub.py) have not come
const SLOW_POLL_MS = 3000;
const LONGEST_RETRY_MS = 30_000;
const LONGEST_AHEAD_S = 12; // the page's own clock goes on for so long without news
const MOST_SHOWN = 0.99;
const MOST_ROWS = 50;
const UNNUMBERED = ["clock", "end", "gone"]; // these may come without an id of their own

const find = (id) => document.getElementById(id);
const figures = () => find("figures");
const course = new Course();
const news = new RunNews();
const tellMe = new TellMe();

let source = null;
let isOpen = false;
let after = null; // the latest event that this page knows of
let refusedAt = -Infinity;
let heardAt = performance.now();
let polledAt = -Infinity;
let nFailed = 0;
let clock = null; // {progress, progress_per_s, used_s, left_s, budget_s, runs, ending, at}
let askTimer = null;
let asked = null; // {after}, while an answer is on its way: what had been told when it was asked for
let asksAgain = false;

// --- events -----------------------------------------------------------------------------------------------------

const HANDLERS = {
  activity({ text }) {
    const words = find("activity-words");
    if (words) words.textContent = text;
  },
  clock: setClock,
  trying(trial) {
    course.begin(trial.number);
    showRow(trial);
  },
  epoch({ number, epoch }) {
    course.addEpoch(number, epoch);
  },
  trial(trial) {
    showRow(trial);
    const lastTried = find("last-tried");
    if (lastTried) lastTried.textContent = say("triedLast", { tried: trial.tried });
    const score = find("best-score");
    if (score && trial.best) score.textContent = trial.best_words;
    if (course.add(trial, usedS())) ask(); // what else is said of the best model is the server's to draw
  },
  gone() {
    leave();
    askForAll();
  },
  end() {
    leave();
    ask();
  },
};
for (const kind of ["state", "note", "download", "asked", "device"]) HANDLERS[kind] = () => ask();

function follow() {
  const box = figures();
  if (source || !box || !after || performance.now() - refusedAt < TRY_AGAIN_MS) return;
  source = new EventSource(`${box.dataset.events}?after=${after}`);
  source.addEventListener("open", () => {
    isOpen = true;
    heardAt = performance.now();
    find("connection-lost").hidden = true;
  });
  source.addEventListener("error", () => {
    isOpen = false;
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself, from where it was
    giveUp();
  });
  for (const [kind, handle] of Object.entries(HANDLERS)) {
    source.addEventListener(kind, (event) => {
      heardAt = performance.now();
      if (!UNNUMBERED.includes(kind)) {
        if (!isLater(event.lastEventId, after)) return; // the page was drawn with it, while the stream was away
        after = event.lastEventId;
      }
      handle(JSON.parse(event.data));
    });
  }
}

function isLater(id, than) {
  const [[ms, n], [otherMs, otherN]] = [id, than].map((one) => one.split("-").map(Number));
  return ms === otherMs ? n > otherN : ms > otherMs;
}

function giveUp() {
  refusedAt = performance.now();
  leave();
}

function leave() {
  source?.close();
  source = null;
  isOpen = false;
}

// --- asking the server for what only it can draw ------------------------------------------------------------------

// Not at once: what follows on the heels of a change is then in the same answer, and many pages do not ask together.
function ask() {
  askTimer ??= window.setTimeout(() => {
    askTimer = null;
    if (asked) asksAgain = true; // htmx leaves a second request out, and the answer may be older than what this is for
    else if (figures()) window.htmx.trigger("#figures", "ask");
  }, ASK_PAUSE_MS * (0.5 + Math.random()));
}

function askForAll() {
  const box = figures();
  if (!box) return;
  course.outdate();
  window.htmx.ajax("GET", box.getAttribute("hx-get").replace(/seen=[^&]*/, "seen="), { target: "#run", swap: "outerHTML" });
}

window.setInterval(() => {
  if (!figures()) return;
  const now = performance.now();
  const isSilent = now - heardAt > SILENT_MS;
  find("slow-news").hidden = !isSilent || !find("connection-lost").hidden;
  if (isSilent && isOpen) giveUp();
  if (isOpen) tick();
  else follow();
  news.tell();
  if (isOpen || (isSilent && now - polledAt < SLOW_POLL_MS)) return;
  polledAt = now;
  window.htmx.trigger("#figures", "ask");
}, POLL_MS);

document.addEventListener("htmx:configRequest", (event) => {
  const asks = document.querySelector(".question[open]")?.dataset.asks;
  if (asks) event.detail.parameters.ask = asks; // so that it is drawn open again
});

document.addEventListener("htmx:beforeRequest", () => {
  asked = { after };
});

// While events come nothing else would ask again.
document.addEventListener("htmx:afterRequest", (event) => {
  const isBehind = asksAgain || (isOpen && asked?.after !== after && isDrawnBefore(after));
  [asked, asksAgain] = [null, false];
  nFailed = event.detail.successful ? 0 : nFailed + 1;
  if (nFailed && isOpen) window.setTimeout(ask, Math.min(LONGEST_RETRY_MS, POLL_MS * 2 ** (nFailed - 1)));
  else if (isBehind) ask();
});

function isDrawnBefore(id) {
  const drawn = document.querySelector("#figures [data-after]")?.dataset.after;
  return Boolean(drawn) && isLater(id, drawn);
}

// --- the clock ------------------------------------------------------------------------------------------------------

function setClock(told) {
  clock = { ...told, at: performance.now() };
}

function usedS() {
  return clock?.used_s ?? 0;
}

function tick() {
  course.load(figures().dataset.course, usedS());
  if (!clock?.runs || clock.left_s == null) return;
  const ahead = Math.min((performance.now() - clock.at) / 1000, LONGEST_AHEAD_S);
  const left = clock.left_s - ahead;
  const soFar = find("so-far");
  if (soFar) soFar.textContent = durationInWords(clock.used_s + ahead);
  const words = find("left");
  if (words && left >= 1) words.textContent = leftInWords(left);
  if (words && left < 1) ask();
  showProgress(Math.min(MOST_SHOWN, clock.progress + clock.progress_per_s * ahead));
  if (Math.round(clock.used_s + ahead) % 5 === 0) course.draw(usedS());
}

function leftInWords(left) {
  if (clock.ending) return say("aboutLeft", { time: aboutInWords(left) });
  return say("leftOf", { time: durationInWords(left), budget: durationInWords(clock.budget_s) });
}

// --- the table ------------------------------------------------------------------------------------------------------

function showRow(trial) {
  const table = find("trials");
  if (!table) return ask(); // the first one: the server draws the table
  const rows = table.tBodies[0];
  const known = rows.querySelector(`[data-number="${trial.number}"]`);
  if (known && trial.state === "running" && known.dataset.state !== "running") return; // it has ended since
  const template = document.createElement("template");
  template.innerHTML = trial.html;
  known?.remove();
  for (const other of rows.querySelectorAll('[data-state="running"]')) other.remove(); // one at a time
  rows.prepend(template.content.firstElementChild);
  if (trial.best) markBest(rows, trial.best[0]);
  const soFar = find("tries-so-far");
  if (trial.state !== "running" && soFar) {
    const n = trial.number + 1;
    soFar.dataset.n = n;
    soFar.textContent = say("triesSoFar", { n });
  }
  sortRows(table);
  trim(rows);
}

function markBest(rows, number) {
  for (const row of rows.rows) {
    const isBest = Number(row.dataset.number) === number;
    row.classList.toggle("best-trial", isBest);
    const mark = row.querySelector(".best-mark");
    if (mark) mark.hidden = !isBest;
  }
}

function trim(rows) {
  const oldest = [...rows.rows].sort((a, b) => b.dataset.number - a.dataset.number).slice(MOST_ROWS);
  for (const row of oldest) row.remove();
}

// --- whenever the server has drawn something ------------------------------------------------------------------------

let drawnRun = null;

function settle() {
  const run = find("run");
  const box = figures();
  if (run !== drawnRun) {
    drawnRun = run;
    if (!["preparing", "searching"].includes(run?.dataset.state)) course.endTry();
    course.forgetCharts();
    tellMe.setUp();
    if (box) course.draw(usedS());
    course.drawEpochs();
  }
  if (!box) {
    leave();
    find("slow-news").hidden = true;
    if (run && ["done", "failed"].includes(run.dataset.state)) tellMe.tell(document.title, run.dataset.announce);
    return;
  }
  const drawn = box.querySelector("[data-clock]");
  setClock(JSON.parse(drawn.dataset.clock));
  if (!isOpen) catchUp(drawn.dataset.after);
  follow();
  course.load(box.dataset.course, usedS());
}

// While the stream is away, what is drawn tells what has happened; the charts must ask for it.
function catchUp(drawnAfter) {
  const nDrawn = Number(find("tries-so-far")?.dataset.n ?? 0);
  if (nDrawn !== course.nTries || (drawnAfter && drawnAfter !== after)) course.outdate();
  if (drawnAfter) after = drawnAfter;
}

document.addEventListener("htmx:afterSettle", settle);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => course.redraw());
settle();
