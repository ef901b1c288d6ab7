// Asks about thousands of photos in small requests, two at a time, and makes a table of the answers.

import { goneOf } from "./folder.js";
import { say } from "./messages.js";
import { WAITS_S, WORTH_ANOTHER_TRY, wait } from "./retrying.js";

const BATCH_FILES = 16;
const BATCH_BYTES = 24_000_000;
const PARALLEL = 2;
const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?|hei[cf]|avif)$/i;
const MOST_LISTED = 500; // more rows make a page slow; the .csv has them all
const LAST_SHARE = 0.99; // nothing shows 100 % before it is done

export class Batch {
  #stopper = null;

  constructor(form, panel) {
    this.form = form;
    this.panel = panel;
    this.find = (id) => panel.querySelector(`#batch-${id}`);
    this.find("cancel").addEventListener("click", () => this.#stopper?.abort());
    window.addEventListener("beforeunload", (event) => this.#stopper && event.preventDefault());
  }

  /** `photos`: {path, file}. What is no picture by its name is listed, not sent. */
  async begin(photos) {
    if (this.#stopper) return this.#complain(say("waitForBatch"));
    this.#stopper = new AbortController();
    this.#open();
    this.failed = photos.filter(({ path }) => !PICTURE.test(path)).map(({ path }) => ({ path, reason: say("noPicture") }));
    this.photos = photos.filter(({ path, file }) => PICTURE.test(path) && !this.#isTooLarge(path, file));
    this.photos.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true })); // folders are read in any order
    this.photos.forEach((photo, place) => (photo.place = place));
    this.said = new Map(); // by place, too
    this.rows = new Map(); // by place, so that the table is in the order of the folder however the answers come
    this.counts = new Map(); // of each class, and of photos of nothing learned: {n, unsure}
    this.saysSure = false; // a model without a threshold does not
    const batches = makeBatches(this.photos);
    const worker = async () => {
      for (let batch = batches.shift(); batch && !this.#stopper.signal.aborted; batch = batches.shift()) await this.#ask(batch);
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL }, worker));
    } catch (error) {
      if (!this.#stopper.signal.aborted) this.#complain(error.message);
      this.#stopper.abort(); // the other worker need not go on
    }
    this.#finish(this.#stopper.signal.aborted);
    this.#stopper = null;
  }

  #isTooLarge(path, file) {
    const tooLarge = file.size > Number(this.form.dataset.maxBytes);
    if (tooLarge) this.failed.push({ path, reason: say("tooLarge") });
    return tooLarge;
  }

  async #ask(batch) {
    const { photos, answers } = await this.#request(batch);
    answers.forEach((answer, i) => {
      const { place } = photos[i];
      this.rows.set(place, answer.row);
      if (answer.error) return this.failed.push({ path: answer.name, reason: answer.error });
      const isUnsure = answer.sure === false && !answer.foreign;
      this.saysSure ||= answer.sure !== null;
      this.said.set(place, [answer.name, inWords(answer)]);
      const kind = answer.foreign ? say("nothingLearned") : answer.label;
      const { n, unsure } = this.counts.get(kind) ?? { n: 0, unsure: 0 };
      return this.counts.set(kind, { n: n + 1, unsure: unsure + Number(isUnsure) });
    });
    this.#show(say("batchProgress", { done: this.rows.size, n: this.photos.length }));
  }

  /** Resolves to the photos that could be sent, and an answer for each. */
  async #request(batch) {
    const { signal } = this.#stopper;
    let photos = batch;
    for (let n = 0; ; n += 1) {
      const gone = await goneOf(photos); // to the browser, a file that it cannot read is a connection that fails
      signal.throwIfAborted(); // another batch may have begun since
      this.failed.push(...gone.map(({ path }) => ({ path, reason: say("movedOrChanged") })));
      photos = photos.filter((photo) => !gone.includes(photo));
      if (photos.length === 0) return { photos, answers: [] };
      const form = new FormData();
      for (const { path, file } of photos) form.append("photos", file, path);
      let status = 0;
      let answer = null;
      try {
        const response = await fetch(`${this.form.dataset.predict}?row=1`, { method: "POST", body: form, signal });
        status = response.status;
        answer = await response.json();
        if (response.ok) return { photos, answers: answer };
      } catch (error) {
        if (error.name === "AbortError") throw error;
        if (status >= 200 && status < 300) status = 0; // the answer broke off
      }
      if (!WORTH_ANOTHER_TRY.has(status) || n === WAITS_S.length) {
        const problem = answer?.error?.message ?? say("serverCouldNot");
        throw new Error(this.rows.size > 0 ? say("stoppedWithTable", { problem }) : problem);
      }
      await wait(WAITS_S[n], signal);
    }
  }

  #open() {
    this.panel.hidden = false;
    for (const part of ["error", "csv", "each", "failed", "counts"]) this.find(part).hidden = true;
    this.find("cancel").hidden = false;
    this.find("progress").hidden = false;
    this.find("progress").value = 0;
    this.find("status").textContent = say("starting");
    this.find("title").focus();
  }

  #show(sentence) {
    this.find("progress").value = Math.min(LAST_SHARE, this.rows.size / Math.max(1, this.photos.length));
    this.find("status").textContent = sentence;
    const counts = [...this.counts].sort(([, a], [, b]) => b.n - a.n);
    const rows = counts.map(([label, { n, unsure }]) => row(label, "number", number(n), ...(this.saysSure ? [number(unsure)] : [])));
    this.find("counts").tBodies[0].replaceChildren(...rows);
    this.find("unsure").hidden = !this.saysSure;
    this.find("counts").hidden = rows.length === 0;
  }

  #finish(isCancelled) {
    const unsure = [...this.counts.values()].reduce((sum, one) => sum + one.unsure, 0);
    const [plain, doubting] = isCancelled ? ["batchCancelled", "batchCancelledUnsure"] : ["batchDone", "batchDoneUnsure"];
    const answered = say(this.saysSure ? doubting : plain, { done: this.said.size, n: this.photos.length, unsure });
    this.#show(this.failed.length > 0 ? say("someUnreadable", { answered, n: this.failed.length }) : answered);
    this.find("progress").value = isCancelled ? this.find("progress").value : 1;
    this.find("cancel").hidden = true;
    this.#listFailed();
    if (this.rows.size === 0) return;
    this.#listEach();
    const table = new Blob([this.form.dataset.csvHeader, ...inOrder(this.rows)], { type: "text/csv" });
    URL.revokeObjectURL(this.find("csv").href);
    this.find("csv").href = URL.createObjectURL(table);
    this.find("csv").hidden = false;
  }

  #listEach() {
    const each = this.find("each");
    const rest = this.said.size - MOST_LISTED;
    each.hidden = this.said.size === 0;
    each.querySelector("tbody").replaceChildren(...inOrder(this.said).slice(0, MOST_LISTED).map(([name, said]) => row(name, "said", said)));
    each.querySelector("p").textContent = rest > 0 ? say("moreInTable", { n: rest }) : "";
  }

  #listFailed() {
    const { failed } = this;
    this.find("failed").hidden = failed.length === 0;
    this.find("failed").querySelector("summary").textContent = say("withoutAnswer", { n: failed.length });
    const items = failed.map(({ path, reason }) => Object.assign(document.createElement("li"), { textContent: say("fileAndReason", { path, reason }) }));
    this.find("failed").querySelector("ul").replaceChildren(...items);
  }

  #complain(sentence) {
    this.find("error").textContent = sentence;
    this.find("error").hidden = false;
  }
}

function inWords({ label, sure, foreign }) {
  if (foreign) return say("foreign", { label });
  return sure === false ? say("unsure", { label }) : label;
}

function makeBatches(photos) {
  const batches = [];
  let bytes = Infinity;
  for (const photo of photos) {
    if (bytes + photo.file.size > BATCH_BYTES || batches.at(-1).length === BATCH_FILES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1).push(photo);
    bytes += photo.file.size;
  }
  return batches;
}

function row(label, className, ...values) {
  const line = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(softly(Object.assign(document.createElement("span"), { className: "row-name" }), label));
  line.append(head, ...values.map((value) => softly(Object.assign(document.createElement("td"), { className }), value)));
  return line;
}

/** The element with words in it that may break after an underscore rather than anywhere. */
function softly(element, words) {
  for (const part of words.match(/[^_]+_*|_+/g)) element.append(part, document.createElement("wbr"));
  return element;
}

/** The values of a map, whose keys are places, from the first place to the last. */
function inOrder(map) {
  return [...map].sort(([a], [b]) => a - b).map(([, value]) => value);
}

const number = (n) => n.toLocaleString("en");
