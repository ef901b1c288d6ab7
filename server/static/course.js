// What the charts of a live run show: every try, each better model, and the epochs of the network that is tuned now.

import { Chart, courseData, courseOptions, epochOptions } from "./charts.js";
import { say } from "./messages.js";

const find = (id) => document.getElementById(id);

export class Course {
  #tries = []; // [number, ended_s, score]
  #bests = []; // [ended_s, score]
  #trying = null; // {number, epochs: [[epoch, score, loss]]}
  #isOutdated = true;
  #isLoading = false;
  #chart = null;
  #epochChart = null;

  get nTries() {
    return this.#tries.length;
  }

  /** Something has happened that this page was not told of, so it must ask. */
  outdate() {
    this.#isOutdated = true;
  }

  begin(number) {
    if (this.#has(number)) return;
    this.#trying = { number, epochs: [] };
    this.drawEpochs();
  }

  addEpoch(number, epoch) {
    if (this.#has(number)) return; // told again after the connection was lost
    if (this.#trying?.number !== number) this.#trying = { number, epochs: [] };
    this.#trying.epochs = joined(this.#trying.epochs, [epoch]);
    this.drawEpochs();
  }

  /** Returns whether it brought a better model. */
  add({ number, ended_s: endedS, score, best }, usedS) {
    if (this.#has(number)) return false;
    this.#tries.push([number, endedS, score]);
    if (this.#trying?.number <= number) this.#trying = null;
    const isBetter = best != null && best[1] !== this.#bests.at(-1)?.[1];
    if (isBetter) this.#bests.push([endedS, best[1]]);
    this.draw(usedS);
    this.drawEpochs();
    return isBetter;
  }

  endTry() {
    this.#trying = null;
  }

  /** Asks for what is missing, if anything is; what events bring meanwhile is kept. */
  async load(url, usedS) {
    if (!this.#isOutdated || this.#isLoading) return;
    [this.#isOutdated, this.#isLoading] = [false, true];
    try {
      const answer = await fetch(url);
      if (answer.ok) this.#merge(await answer.json());
      else this.#isOutdated = true;
    } catch {
      this.#isOutdated = true; // no connection: it is asked for again
    }
    this.#isLoading = false;
    this.draw(usedS);
    this.drawEpochs();
  }

  #has(number) {
    return this.#tries.some(([known]) => known === number);
  }

  #merge(loaded) {
    this.#tries = joined(loaded.tries, this.#tries);
    const lastS = loaded.bests.at(-1)?.[0] ?? -Infinity;
    this.#bests = [...loaded.bests, ...this.#bests.filter(([t]) => t > lastS + 0.01)]; // events round times to that
    const [told, live] = [loaded.trying, this.#trying];
    if (!live || this.#has(live.number) || told?.number > live.number) this.#trying = told;
    else if (told?.number === live.number) this.#trying = { ...live, epochs: joined(told.epochs ?? [], live.epochs) };
  }

  draw(usedS) {
    const box = find("course-chart");
    if (!box) return;
    const isEmpty = this.#tries.length === 0;
    find("course").hidden = isEmpty && !this.#trying?.epochs?.length;
    if (isEmpty) return;
    const drawn = find("course-drawn");
    if (drawn.hidden) [drawn.hidden, find("course-table").open] = [false, false];
    this.#chart ??= new Chart(box, courseOptions);
    this.#chart.set(courseData(this.#tries, this.#bests, Math.max(this.#tries.at(-1)[1], usedS)));
  }

  drawEpochs() {
    const box = find("epochs");
    if (!box) return;
    const epochs = this.#trying?.epochs ?? [];
    box.hidden = epochs.length === 0;
    if (box.hidden) {
      this.#epochChart?.close();
      this.#epochChart = null;
      return;
    }
    find("course").hidden = false;
    const [epoch, score, loss] = epochs.at(-1);
    const message = loss == null ? "scoreAfterEpoch" : score == null ? "lossAfterEpoch" : "afterEpoch";
    const words = { epoch, score: ((score ?? 0) * 100).toFixed(1), loss: loss?.toFixed(3) };
    find("epoch-words").textContent = say(message, words);
    this.#epochChart ??= new Chart(find("epoch-chart"), epochOptions);
    this.#epochChart.set([0, 1, 2].map((column) => epochs.map((row) => row[column])));
  }

  /** For other colours. */
  redraw() {
    this.#chart?.redraw();
    this.#epochChart?.redraw();
  }

  /** The boxes that it has drawn into are gone. */
  forgetCharts() {
    this.#chart?.close();
    this.#epochChart?.close();
    this.#chart = this.#epochChart = null;
  }
}

// Rows of both, each once, in the order of what they begin with.
function joined(some, more) {
  const rows = new Map([...some, ...more].map((row) => [row[0], row]));
  return [...rows.values()].sort((a, b) => a[0] - b[0]);
}
