// Sends files in batches, a few at a time, and tries again where the connection fails.

import { goneOf } from "./folder.js";
import { say } from "./messages.js";
import { missingOf, nameInForm } from "./missing.js";
import { Stopped, WAITS_S, WORTH_ANOTHER_TRY, mayWorkLater, wait } from "./retrying.js";

const BATCH_FILES = 50;
const BATCH_BYTES = 16_000_000;
const PARALLEL = 3;

/** A failure in words for the user. `again`: whether it can be fixed by trying once more. */
export class SendError extends Error {
  constructor(message, again) {
    super(message);
    this.again = again;
  }
}

export class Sender {
  #batches = [];
  #stopper = new AbortController();

  /**
   * `label`: the class that all files are for, else empty. `onChange` is called with {files, bytes}, what is on the
   * server, whenever more has arrived; `onNote` with a sentence while it waits.
   */
  constructor(files, { label = "", onChange, onNote }) {
    this.nFiles = files.length;
    this.nBytes = bytesOf(files);
    this.label = label;
    this.waiting = files; // that are not known to have arrived
    this.onChange = onChange;
    this.onNote = onNote;
  }

  stop() {
    this.#stopper.abort();
  }

  /** Once before the first request, and again to go on after a stop or a failure. */
  start() {
    this.#stopper = new AbortController();
  }

  /** Asks the data set at `address` what it has, and sends the rest; may be called again after a failure. */
  async sendMissing(address) {
    const { signal } = this.#stopper;
    const ask = async (files) => {
      this.onNote(say("lookingForArrived"));
      const { missing } = await this.request(`${address}/missing`, { files, label: this.label });
      return missing;
    };
    try {
      this.waiting = await missingOf(this.waiting, ask);
    } catch (error) {
      if (signal.aborted) throw new Stopped();
      if (error instanceof DOMException) throw gone(say("someFileGone"));
      throw error;
    }
    if (signal.aborted) throw new Stopped();
    await this.send(address);
  }

  /** Sends what is not known to have arrived. */
  async send(address) {
    this.#batches = makeBatches(this.waiting);
    this.#report();
    const waiting = [...this.#batches];
    const worker = async () => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) await this.#sendBatch(`${address}/files`, batch);
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL }, worker));
    } catch (error) {
      this.stop(); // the other workers need not go on
      throw error;
    } finally {
      this.waiting = this.#batches.flatMap((batch) => (batch.arrived ? [] : batch.files));
    }
  }

  async #sendBatch(url, batch) {
    const form = new FormData();
    if (this.label) form.append("label", this.label); // it holds for the files after it
    for (const { path, file } of batch.files) form.append("files", file, escaped(path));
    const onProgress = (event) => {
      batch.sent = Math.min(batch.bytes, event.loaded);
      this.#report();
    };
    await this.request(url, form, { onProgress, files: batch.files });
    batch.arrived = true;
    batch.sent = batch.bytes;
    this.#report();
  }

  #report() {
    const left = this.#batches.filter((batch) => !batch.arrived);
    const files = this.nFiles - left.reduce((sum, batch) => sum + batch.files.length, 0);
    const bytes = this.nBytes - left.reduce((sum, batch) => sum + batch.bytes - batch.sent, 0);
    this.onChange({ files, bytes });
  }

  /**
   * POSTs `body`, which has `files`, and returns the JSON answer; waits and repeats while the connection or the server is
   * away. What is not `stoppable` is heard out once it is on its way: a stop counts from the next request on.
   */
  async request(url, body, { onProgress, stoppable = true, files = [] } = {}) {
    const stopped = this.#stopper.signal; // a later start does not revive what was stopped before it
    for (let n = 0; ; n += 1) {
      // To the browser, a file that it cannot read is a connection that fails.
      const [lost] = await goneOf(files);
      if (lost) throw gone(say("fileGone", { path: lost.path }));
      const signal = stoppable ? stopped : new AbortController().signal;
      const { status, answer } = await post(url, body, onProgress, signal);
      if (status >= 200 && status < 300) {
        this.onNote("");
        return answer;
      }
      if (!WORTH_ANOTHER_TRY.has(status) || n === WAITS_S.length) throw new SendError(inWords(status, answer), mayWorkLater(status));
      this.onNote(say("tryingAgain", { n: WAITS_S[n] }));
      await wait(WAITS_S[n], stopped);
    }
  }
}

// The server takes a backslash in a file name for an escape, as the standard says; browsers do not escape it.
function escaped(path) {
  return nameInForm(path).replaceAll("\\", "\\\\");
}

function bytesOf(files) {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

function makeBatches(files) {
  const batches = [];
  let batch = null;
  for (const item of files) {
    const full = batch && (batch.files.length >= BATCH_FILES || batch.bytes + item.file.size > BATCH_BYTES);
    if (!batch || full) batches.push((batch = { files: [], bytes: 0, sent: 0, arrived: false }));
    batch.files.push(item);
    batch.bytes += item.file.size;
  }
  return batches;
}

function post(url, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Stopped());
    const request = new XMLHttpRequest(); // fetch cannot say how much of an upload has been sent
    const stop = () => request.abort();
    request.open("POST", url);
    request.responseType = "json";
    if (!(body instanceof FormData)) request.setRequestHeader("Content-Type", "application/json");
    if (onProgress) request.upload.addEventListener("progress", onProgress);
    request.addEventListener("abort", () => reject(new Stopped()));
    request.addEventListener("loadend", () => {
      signal.removeEventListener("abort", stop);
      resolve({ status: request.status, answer: request.response });
    });
    signal.addEventListener("abort", stop, { once: true });
    request.send(body instanceof FormData ? body : JSON.stringify(body));
  });
}

function gone(sentence) {
  return new SendError(sentence, true);
}

function inWords(status, answer) {
  if (status === 0) return say("serverUnreachable");
  return answer?.error?.message ?? say("serverError", { status });
}
