// Sends files in batches, a few at a time, and tries again where the connection fails.

const BATCH_FILES = 50;
const BATCH_BYTES = 16_000_000;
const PARALLEL = 3;
const WAITS_S = [1, 2, 4, 8, 15, 30];
const WORTH_ANOTHER_TRY = new Set([0, 408, 429, 502, 503, 504]);

/** A failure in words for the user. `again`: whether it can be mended by trying once more. */
export class SendError extends Error {
  constructor(message, again) {
    super(message);
    this.again = again;
  }
}

export class Stopped extends Error {}

export class Sender {
  /** `onChange` is called with {files, bytes} whenever more has arrived, `onNote` with a sentence while it waits. */
  constructor(files, onChange, onNote) {
    this.batches = makeBatches(files);
    this.nFiles = files.length;
    this.nBytes = this.batches.reduce((sum, batch) => sum + batch.bytes, 0);
    this.onChange = onChange;
    this.onNote = onNote;
    this.stopper = new AbortController();
  }

  stop() {
    this.stopper.abort();
  }

  /** Sends what has not arrived yet; may be called again after a failure. */
  async send(url) {
    this.stopper = new AbortController();
    const waiting = this.batches.filter((batch) => !batch.arrived);
    const worker = async () => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) await this.#sendBatch(url, batch);
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL }, worker));
    } catch (error) {
      this.stop(); // the other workers need not go on
      throw error;
    }
  }

  async #sendBatch(url, batch) {
    const form = new FormData();
    // The server takes a backslash in a file name for an escape, as the standard says; browsers do not escape it.
    for (const { path, file } of batch.files) form.append("files", file, path.replaceAll("\\", "\\\\"));
    const onProgress = (event) => {
      batch.sent = Math.min(batch.bytes, event.loaded);
      this.#report();
    };
    await this.request(url, form, onProgress);
    batch.arrived = true;
    batch.sent = batch.bytes;
    this.#report();
  }

  #report() {
    const files = this.batches.reduce((sum, batch) => sum + (batch.arrived ? batch.files.length : 0), 0);
    const bytes = this.batches.reduce((sum, batch) => sum + batch.sent, 0);
    this.onChange({ files, bytes });
  }

  /** POSTs `body` and returns the JSON answer; waits and repeats while the connection or the server is away. */
  async request(url, body, onProgress) {
    for (let n = 0; ; n += 1) {
      const { status, answer } = await post(url, body, onProgress, this.stopper.signal);
      if (status >= 200 && status < 300) {
        this.onNote("");
        return answer;
      }
      const again = WORTH_ANOTHER_TRY.has(status);
      if (!again || n === WAITS_S.length) throw new SendError(inWords(status, answer), again || status >= 500);
      this.onNote(`The connection was lost. Trying again in ${WAITS_S[n] === 1 ? "a second" : `${WAITS_S[n]} seconds`}…`);
      await wait(WAITS_S[n], this.stopper.signal);
    }
  }
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

function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(new Stopped())), { once: true });
  });
}

function inWords(status, answer) {
  if (status === 0) {
    return "The server cannot be reached, or a file was moved or changed while it was being sent. What has arrived is kept.";
  }
  return answer?.error?.message ?? `The server answered with error ${status}. What has arrived is kept.`;
}
