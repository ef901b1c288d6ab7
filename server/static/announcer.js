// Tells a screen reader what changes: in few words, and no sentence so soon after another that it would drown it.

import { say } from "./messages.js";

const APART_MS = 5_000;
const BESTS_APART_MS = 20_000;
const MARKS = [0.75, 0.5, 0.25];

let saidAt = -Infinity;

/** At once, for what matters most. */
export function announce(text) {
  saidAt = performance.now();
  document.getElementById("announcer").textContent = text ?? "";
}

/** Of a live run: its first score, now and then a better one, and each quarter of the way. What is there is not news. */
export class RunNews {
  #best = shownBest();
  #bestAt = -Infinity;
  #mark = passedMark();

  /** To be called often; mostly it says nothing. */
  tell() {
    const now = performance.now();
    if (now - saidAt < APART_MS) return;
    const sentences = [];
    const best = shownBest();
    if (best && best !== this.#best && now - this.#bestAt >= BESTS_APART_MS) {
      sentences.push(say(this.#best ? "bestSoFar" : "firstScore", { score: best }));
      [this.#best, this.#bestAt] = [best, now];
    }
    const mark = passedMark();
    if (mark > this.#mark) sentences.push(say("partOfTheWay", { n: mark * 100 }));
    this.#mark = Math.max(mark, this.#mark);
    if (sentences.length) announce(sentences.join(" "));
  }
}

function shownBest() {
  return document.getElementById("best-score")?.textContent.trim() ?? "";
}

function passedMark() {
  const share = document.getElementById("run-progress")?.value ?? 0;
  return MARKS.find((mark) => share >= mark) ?? 0;
}
