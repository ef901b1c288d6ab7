// An answer on the phone page: a sentence and a bar for each kind.

import { say } from "./messages.js";

const MOST_BARS = 5;

/** One sentence of what the model says. */
export function inWords({ label, confidence, isUnsure, isForeign }) {
  if (isForeign) return say("phoneForeign");
  return say(isUnsure ? "phoneUnsure" : "phoneSays", { label, percent: percent(confidence) });
}

/** Fills `list` with a bar for each of the likeliest kinds; `isSteady`: for all, in one order, so that only bars move. */
export function showBars(list, { ranked, probabilities }, labels, isSteady) {
  const shown = isSteady && labels.length <= MOST_BARS ? labels.map((label, i) => [label, probabilities[i]]) : ranked.slice(0, MOST_BARS);
  list.replaceChildren(...shown.map(([label, share]) => bar(label, share)));
}

function bar(label, share) {
  const item = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { className: "bar-name", textContent: label });
  const track = Object.assign(document.createElement("span"), { className: "bar-track" });
  const filled = track.appendChild(document.createElement("span"));
  filled.style.width = `${share * 100}%`;
  const figure = Object.assign(document.createElement("span"), { className: "bar-share", textContent: say("percent", { percent: percent(share) }) });
  item.append(name, track, figure);
  return item;
}

/** As the server rounds: never up to 100 or down to 0. */
function percent(share) {
  const shown = Math.round(share * 1000) / 10;
  return (share < 1 ? Math.min(99.9, Math.max(share > 0 ? 0.1 : 0, shown)) : shown).toFixed(1);
}
