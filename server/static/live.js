// Around htmx, which replaces parts of the page each second: what must not be replaced is kept here.

import { announce } from "./announcer.js";

const connectionLost = document.getElementById("connection-lost");

let furthest = 0;
let announced = body()?.dataset.announce;

function body() {
  return document.querySelector("#run, #dataset");
}

const progressBar = () => document.getElementById("run-progress");
const shownProgress = () => `${Math.floor(furthest * 100 + 1e-3)} %`; // 0.58 times 100 is a little less than 58

// Never less than before: a run that was continued after a breakdown has less behind it, and an answer may be late.
export function showProgress(share) {
  furthest = Math.max(furthest, share);
  const bar = progressBar();
  if (!bar) return;
  bar.value = furthest;
  bar.textContent = shownProgress();
  document.title = withProgress(document.title);
}

function withProgress(title) {
  return title.replace(/^\d+ %/, shownProgress());
}

function settle() {
  const bar = progressBar();
  if (bar) showProgress(bar.value);
  const titled = document.querySelector("#figures [data-title]") ?? body();
  if (titled?.dataset.title) document.title = withProgress(titled.dataset.title);
  const announcement = body()?.dataset.announce;
  if (announcement !== announced) announce((announced = announcement));
}

document.addEventListener("htmx:afterSwap", settle); // before it is painted
document.addEventListener("htmx:afterSettle", settle); // htmx has set attributes since
document.addEventListener("htmx:afterRequest", (event) => (connectionLost.hidden = event.detail.successful));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 404) window.location.reload(); // it was deleted; the page says so
});

settle();
