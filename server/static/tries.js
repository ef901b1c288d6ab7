// What was tried and what happened, on the page of a run and on their own. The page of a run that has ended fetches them
// from there when they are opened, since they are long and few of its readers want them.

import { showLocalTimes } from "./local-times.js";
import { say } from "./messages.js";
import { setUpSorting } from "./sort.js";

const LONGEST_MS = 10_000;

const find = (id) => document.getElementById(id);

let isFetching = false;

async function fetchIfOpen() {
  const box = find("tries");
  const place = find("all-tries");
  if (!box?.open || place.hasChildNodes() || isFetching) return;
  isFetching = true;
  const state = find("tries-state");
  state.textContent = say("fetchingTries");
  try {
    place.append(...(await partOf(box.querySelector("a").href)));
    state.textContent = "";
    settle();
  } catch {
    state.textContent = say("triesNotFetched");
  } finally {
    isFetching = false;
  }
}

async function partOf(address) {
  const answer = await fetch(address, { signal: AbortSignal.timeout(LONGEST_MS) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.getElementById("all-tries").childNodes;
}

function settle() {
  const table = find("trials");
  if (table) setUpSorting(table);
  showLocalTimes();
  fetchIfOpen();
}

document.addEventListener("toggle", fetchIfOpen, true); // it does not bubble
document.addEventListener("htmx:afterSwap", showLocalTimes); // before it is painted
document.addEventListener("htmx:afterSettle", settle);
settle();
