// The page of a live run. It follows the run's events; where there are none it asks the server again and again instead.

import { Chart, courseData, courseOptions, epochOptions } from "./charts.js";
import { durationInWords } from "./durations.js";
import { setUpSorting, sortRows } from "./sort.js";

const POLL_MS = 1000;
const TRY_AGAIN_MS = 15_000; // after a refusal, as the server asks for
const ASK_PAUSE_MS = 400;
const SILENT_MS = 11_000; // two tellings of the time (server/live_hub.py) have not come
const SLOW_POLL_MS = 3000;
const LONGEST_RETRY_MS = 30_000;
const LONGEST_AHEAD_S = 12; // the page's own clock goes on for so long without news
const MOST_SHOWN = 0.99;
const MOST_ROWS = 50;

const find = (id) => document.getElementById(id);
const figures = () => find("figures");

let source = null;
let isOpen = false;
let after = null; // the latest event that this page knows of
let refusedAt = -Infinity;
let heardAt = performance.now();
let polledAt = -Infinity;
let nFailed = 0;
let clock = null; // {progress, used_s, left_s, budget_s, runs, at}
let course = null; // {tries, bests, trying}
let courseChart = null;
let epochChart = null;
let askTimer = null;
let wantsNews = sessionStorage.getItem("tell-me") === window.location.pathname;

// --- events -----------------------------------------------------------------------------------------------------

const HANDLERS = {
  activity({ text, progress }) {
    if (!find("activity-words")) return;
    find("activity-words").textContent = text;
    find("activity-share").textContent = progress == null || progress >= 0.995 ? "" : `(${Math.round(progress * 100)} %)`;
  },
  clock: setClock,
  trying(trial) {
    if (course) course.trying = { number: trial.number, stage: trial.stage, epochs: [] };
    showRow(trial);
    drawEpochs();
  },
  epoch({ number, epoch }) {
    if (!course) return;
    if (course.trying?.number !== number) course.trying = { number, epochs: [] };
    const epochs = course.trying.epochs.filter(([n]) => n !== epoch[0]);
    course.trying.epochs = [...epochs, epoch];
    drawEpochs();
  },
  trial(trial) {
    showRow(trial);
    const lastTried = find("last-tried");
    if (lastTried) lastTried.textContent = `Tried last: ${trial.tried}`;
    if (!course || course.tries.some(([number]) => number === trial.number)) return;
    course.tries.push([trial.number, trial.ended_s, trial.score]);
    course.trying = null;
    const [, best] = trial.best ?? [];
    if (best != null && best !== course.bests.at(-1)?.[1]) {
      course.bests.push([trial.ended_s, best]);
      ask();
    }
    drawCourse();
    drawEpochs();
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
      if (event.lastEventId) after = event.lastEventId;
      handle(JSON.parse(event.data));
    });
  }
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
    if (figures()) window.htmx.trigger("#figures", "ask");
  }, ASK_PAUSE_MS * (0.5 + Math.random()));
}

function askForAll() {
  const box = figures();
  if (!box) return;
  course = null;
  window.htmx.ajax("GET", box.getAttribute("hx-get").replace(/seen=[^&]*/, "seen="), { target: "#run", swap: "outerHTML" });
}

window.setInterval(() => {
  if (!figures()) return;
  const now = performance.now();
  const isSilent = now - heardAt > SILENT_MS;
  find("slow-news").hidden = !isSilent || !find("connection-lost").hidden;
  if (isSilent && isOpen) giveUp();
  if (isOpen) return tick();
  follow();
  if (isSilent && now - polledAt < SLOW_POLL_MS) return;
  polledAt = now;
  window.htmx.trigger("#figures", "ask");
}, POLL_MS);

// While events come nothing else would ask again.
document.addEventListener("htmx:afterRequest", (event) => {
  nFailed = event.detail.successful ? 0 : nFailed + 1;
  if (nFailed && isOpen) window.setTimeout(ask, Math.min(LONGEST_RETRY_MS, POLL_MS * 2 ** (nFailed - 1)));
});

// --- the clock ------------------------------------------------------------------------------------------------------

function setClock(told) {
  clock = { ...told, at: performance.now() };
}

function tick() {
  if (!clock?.runs || clock.left_s == null) return;
  const ahead = Math.min((performance.now() - clock.at) / 1000, LONGEST_AHEAD_S);
  const left = clock.left_s - ahead;
  const soFar = find("so-far");
  if (soFar) soFar.textContent = durationInWords(clock.used_s + ahead);
  const words = find("left");
  if (words && left >= 1) words.textContent = `${durationInWords(left)} left of ${durationInWords(clock.budget_s)}`;
  if (words && left < 1) ask();
  const rate = (1 - clock.progress) / Math.max(clock.left_s, 1);
  showProgress(Math.min(MOST_SHOWN, clock.progress + rate * ahead));
  if (Math.round(clock.used_s + ahead) % 5 === 0) drawCourse();
}

function showProgress(progress) {
  const bar = find("run-progress");
  if (!bar || progress <= bar.value) return;
  bar.value = progress;
  const shown = `${Math.floor(progress * 100)} %`;
  bar.textContent = shown;
  document.title = document.title.replace(/^\d+ %/, shown);
}

// --- the table ------------------------------------------------------------------------------------------------------

function showRow(trial) {
  const table = find("trials");
  if (!table) return ask(); // the first one: the server draws the table
  const template = document.createElement("template");
  template.innerHTML = trial.html;
  const row = template.content.firstElementChild;
  const rows = table.tBodies[0];
  rows.querySelector(`[data-number="${trial.number}"]`)?.remove();
  for (const other of rows.querySelectorAll('[data-state="running"]')) other.remove(); // one at a time
  rows.prepend(row);
  if (trial.best) markBest(rows, trial.best[0]);
  if (trial.state !== "running" && find("n-tries")) {
    const n = trial.number + 1;
    find("n-tries").textContent = n.toLocaleString("en");
    find("tries-word").textContent = n === 1 ? "try" : "tries";
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

// --- the charts -----------------------------------------------------------------------------------------------------

async function loadCourse() {
  const box = figures();
  if (!box || course) return;
  course = { tries: [], bests: [], trying: null };
  try {
    const answer = await fetch(box.dataset.course);
    if (answer.ok) course = merged(await answer.json(), course);
    else course = null;
  } catch {
    course = null; // no connection: it is asked for again with the next news
  }
  drawCourse();
  drawEpochs();
}

// Events may have come while the answer was on its way.
function merged(loaded, live) {
  const known = new Set(loaded.tries.map(([number]) => number));
  const lastS = loaded.tries.at(-1)?.[1] ?? 0;
  return {
    tries: [...loaded.tries, ...live.tries.filter(([number]) => !known.has(number))],
    bests: [...loaded.bests, ...live.bests.filter(([t]) => t > lastS)],
    trying: live.trying ?? loaded.trying,
  };
}

function drawCourse() {
  const box = find("course-chart");
  if (!box || !course) return;
  const ended = course.tries.at(-1)?.[1] ?? 0;
  const isEmpty = course.tries.length === 0;
  find("course").hidden = isEmpty && !course.trying?.epochs?.length;
  if (isEmpty) return;
  const drawn = find("course-drawn");
  if (drawn.hidden) [drawn.hidden, find("course-table").open] = [false, false];
  courseChart ??= new Chart(box, courseOptions);
  courseChart.set(courseData(course.tries, course.bests, Math.max(ended, clock?.used_s ?? 0)));
}

function drawEpochs() {
  const box = find("epochs");
  if (!box) return;
  const epochs = course?.trying?.epochs ?? [];
  box.hidden = epochs.length === 0;
  if (!box.hidden) find("course").hidden = false;
  if (box.hidden) {
    epochChart?.close();
    epochChart = null;
    return;
  }
  const [epoch, score, loss] = epochs.at(-1);
  const parts = [score == null ? "" : `${(score * 100).toFixed(1)} % right`, loss == null ? "" : `loss ${loss.toFixed(3)}`];
  find("epoch-words").textContent = `After epoch ${epoch}: ${parts.filter(Boolean).join(", ")}.`;
  epochChart ??= new Chart(find("epoch-chart"), epochOptions);
  epochChart.set([0, 1, 2].map((column) => epochs.map((row) => row[column])));
}

function forgetCharts() {
  courseChart?.close();
  epochChart?.close();
  courseChart = epochChart = null;
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  courseChart?.redraw();
  epochChart?.redraw();
});

// --- the notification -----------------------------------------------------------------------------------------------

function setUpTellMe() {
  const box = find("tell-me-box");
  if (!box || !("Notification" in window) || !window.isSecureContext || Notification.permission === "denied") return;
  box.hidden = false;
  showTellMe();
  find("tell-me").addEventListener("click", async () => {
    wantsNews = !wantsNews && (await Notification.requestPermission()) === "granted";
    if (wantsNews) sessionStorage.setItem("tell-me", window.location.pathname);
    else sessionStorage.removeItem("tell-me");
    showTellMe();
  });
}

function showTellMe() {
  const isRefused = Notification.permission === "denied";
  find("tell-me").setAttribute("aria-pressed", String(wantsNews));
  find("tell-me-state").textContent = wantsNews
    ? "This browser will tell you, as long as this page stays open in a tab."
    : isRefused
      ? "Your browser does not allow it for this page."
      : "";
}

function tellOfTheEnd(run) {
  if (!wantsNews || !["done", "failed"].includes(run.dataset.state)) return;
  wantsNews = false;
  sessionStorage.removeItem("tell-me");
  if (Notification.permission === "granted") new Notification(document.title, { body: run.dataset.announce });
}

// --- whenever the server has drawn something ------------------------------------------------------------------------

let drawnRun = null;

function settle() {
  const run = find("run");
  const box = figures();
  const table = find("trials");
  if (table) setUpSorting(table);
  if (run !== drawnRun) {
    drawnRun = run;
    if (course && !["preparing", "searching"].includes(run?.dataset.state)) course.trying = null;
    forgetCharts();
    setUpTellMe();
    if (box) drawCourse();
    drawEpochs();
  }
  if (!box) {
    leave();
    find("slow-news").hidden = true;
    if (run) tellOfTheEnd(run);
    return;
  }
  const drawn = box.querySelector("[data-clock]");
  setClock(JSON.parse(drawn.dataset.clock));
  if (!isOpen && drawn.dataset.after) after = drawn.dataset.after;
  follow();
  loadCourse();
}

document.addEventListener("htmx:afterSettle", settle);
settle();
