// Sends many photos to be sorted and kept, and leads to the page that shows what the model says of them.

import { commonRoot } from "./folder.js";
import { say } from "./messages.js";
import { Stopped } from "./retrying.js";
import { Sender, SendError } from "./sender.js";

const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?|hei[cf]|avif)$/i;
const LAST_SHARE = 0.99; // nothing shows 100 % before it is done

export class Sorter {
  #sender = null;
  #isBusy = false;

  /**
   * `form` says where photos go: data-sortings makes a new sorting; data-sorting and data-page are those of one that is
   * there already.
   */
  constructor(form, panel) {
    this.form = form;
    this.panel = panel;
    this.address = form.dataset.sorting ?? "";
    this.page = form.dataset.page ?? "";
    this.find = (id) => panel.querySelector(`#sending-${id}`);
    this.find("stop").addEventListener("click", () => this.#sender?.stop());
    this.find("retry").addEventListener("click", () => this.#send());
    window.addEventListener("beforeunload", (event) => this.#isBusy && event.preventDefault());
  }

  /** `photos`: {path, file}. What cannot be a photo is listed, not sent. */
  async begin(photos) {
    if (this.#isBusy) return this.#complain(say("waitForBatch"));
    const [sent, leftOut] = [[], []];
    for (const { path, file } of photos) {
      if (!PICTURE.test(path)) leftOut.push({ path, reason: say("noPicture") });
      else if (file.size > Number(this.form.dataset.maxBytes)) leftOut.push({ path, reason: say("tooLarge") });
      else sent.push({ path, file });
    }
    sent.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true })); // folders are read in any order
    this.leftOut = leftOut;
    this.name = commonRoot(photos) || say("unnamedPhotos");
    this.n = sent.length;
    this.panel.hidden = false;
    this.#listLeftOut();
    this.find("title").focus();
    this.#sender = new Sender(sent, { onChange: (arrived) => this.#show(arrived), onNote: (note) => this.#put("note", note) });
    return this.#send();
  }

  async #send() {
    const sender = this.#sender;
    this.#isBusy = true;
    for (const part of ["error", "retry", "show"]) this.find(part).hidden = true;
    this.find("stop").hidden = false;
    this.#put("status", say("starting"));
    sender.start();
    try {
      if (!this.address) {
        const made = await sender.request(this.form.dataset.sortings, { name: this.name }, { stoppable: false });
        [this.address, this.page] = [`${this.form.dataset.sortings}/${made.id}`, made.url];
        await sender.send(this.address);
      } else {
        await sender.sendMissing(this.address);
      }
      this.#isBusy = false;
      this.find("progress").value = 1;
      this.#put("status", say("sortedAll", { n: this.n }));
      this.find("stop").hidden = true;
      if (this.leftOut.length === 0) return window.location.assign(this.page);
      this.#offerPage();
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof SendError)) throw error;
      this.#isBusy = false;
      this.#put("note", "");
      this.#complain(error instanceof SendError ? error.message : say("sortingStopped"));
      this.find("retry").hidden = error instanceof SendError && !error.again;
      this.find("stop").hidden = true;
      if (this.page) this.#offerPage();
    }
  }

  #offerPage() {
    this.find("show").href = this.page;
    this.find("show").hidden = false;
  }

  #show({ files }) {
    this.find("progress").value = Math.min(LAST_SHARE, files / Math.max(1, this.n));
    this.#put("status", say("batchProgress", { done: files, n: this.n }));
  }

  #listLeftOut() {
    const { leftOut } = this;
    const part = this.find("left-out");
    part.hidden = leftOut.length === 0;
    part.querySelector("summary").textContent = say("leftOut", { n: leftOut.length });
    const items = leftOut.map(({ path, reason }) => Object.assign(document.createElement("li"), { textContent: say("fileAndReason", { path, reason }) }));
    part.querySelector("ul").replaceChildren(...items);
  }

  #put(id, sentence) {
    if (this.find(id).textContent !== sentence) this.find(id).textContent = sentence; // the same once more would be read out
  }

  #complain(sentence) {
    this.find("error").textContent = sentence;
    this.find("error").hidden = false;
  }
}
