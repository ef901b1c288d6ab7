// One answer: its heat map, and what the user says of it.

import { say } from "./messages.js";
import { makeEnlargeable } from "./try-enlarge.js";

const CHECKING = 409; // the photos of the data set are being checked, which takes seconds
const WAIT_MS = 2000;
const MOST_TRIES = 60;

export class Card {
  #chosen = "";
  #heat = "";

  constructor(article, file, path, { predict, feedback }) {
    Object.assign(this, { file, path, predict, feedback });
    this.find = (name) => article.querySelector(`.${name}`);
    this.select = article.querySelector("select");
    this.photo = this.find("answer-photo").src;
    makeEnlargeable(article, this);
    this.find("heat-toggle").addEventListener("click", () => this.#toggleHeat());
    this.find("feedback-right").addEventListener("click", () => this.#confirm(this.find("feedback").dataset.label));
    this.find("feedback-wrong").addEventListener("click", () => {
      this.select.value = "";
      this.find("feedback-choose").hidden = false;
      this.find("feedback-confirm").hidden = true;
      this.find("feedback-done").textContent = "";
      this.select.focus();
    });
    this.select.addEventListener("change", () => this.#choose());
    this.find("feedback-no").addEventListener("click", () => this.#close(say("nothingStored")));
    this.find("feedback-yes").addEventListener("click", () => this.#store());
  }

  /** The address of its heat map, or the reason why there is none. It is asked for once. */
  async heat() {
    if (this.#heat) return { heat: this.#heat, reason: "" };
    const found = await this.#askForHeat();
    this.#heat = found.heat;
    return found;
  }

  async #toggleHeat() {
    const button = this.find("heat-toggle");
    const show = button.getAttribute("aria-pressed") === "false";
    if (show && !this.#heat) {
      this.find("heat-note").textContent = say("looking");
      button.disabled = true;
      const { reason } = await this.heat();
      this.find("heat-note").textContent = reason;
      button.disabled = false;
      if (document.activeElement === document.body) button.focus(); // a disabled button loses it; the user may have gone on
    }
    if (show && !this.#heat) return;
    button.setAttribute("aria-pressed", String(show));
    this.find("answer-photo").src = show ? this.#heat : this.photo;
    this.find("heat-note").textContent = show ? say("heatMap") : "";
  }

  async #askForHeat() {
    const { status, answer } = await send(`${this.predict}?heat=1`, { photos: this.file, path: this.path });
    if (status !== 200) return { heat: "", reason: answer?.error?.message ?? say("serverSilentAgain") };
    return { heat: answer[0].heat ?? "", reason: answer[0].heat ? "" : say("noHeatMap") };
  }

  /** Nothing is chosen for the user, and what shows none of the classes is not learned from. */
  #choose() {
    this.find("feedback-confirm").hidden = true;
    this.find("feedback-done").textContent = "";
    const { value, selectedOptions } = this.select;
    if (value) this.#confirm(value, false);
    else if (selectedOptions[0].hasAttribute("data-none")) this.#say(say("noneOfThese"));
  }

  #confirm(label, moveFocus = true) {
    this.#chosen = label;
    this.find("feedback-as").textContent = label;
    this.find("feedback-confirm").hidden = false;
    this.find("feedback-done").textContent = "";
    if (moveFocus) {
      this.find("feedback-choose").hidden = true;
      this.find("feedback-yes").focus();
    }
  }

  async #store() {
    this.#close(say("storing"));
    for (let n = 0; n < MOST_TRIES; n += 1) {
      const { status, answer } = await send(this.feedback, { label: this.#chosen, photos: this.file, path: this.path });
      if (status === 202) {
        this.find("feedback-ask").hidden = true;
        this.find("feedback-next").hidden = false;
        if (answer.checking) return this.#say(say("stored", { label: this.#chosen }));
        this.find("feedback-next").firstElementChild.textContent = say("openPhotos"); // no run can be started there yet
        return this.#say(say("storedUnchecked", { label: this.#chosen }));
      }
      if (status !== CHECKING) return this.#say(answer?.error?.message ?? say("notStoredSilent"));
      this.#say(say("waitingForCheck"));
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    return this.#say(say("stillChecking"));
  }

  #close(sentence) {
    this.find("feedback-confirm").hidden = true;
    this.find("feedback-choose").hidden = true;
    this.#say(sentence);
    this.find("feedback-done").focus();
  }

  #say(sentence) {
    this.find("feedback-done").textContent = sentence;
  }
}

/** POSTs a photo as a form; the status is 0 where nobody answers. */
async function send(url, { label, photos, path }) {
  const form = new FormData();
  if (label) form.append("label", label); // it holds for the files after it
  form.append("photos", photos, path);
  try {
    const response = await fetch(url, { method: "POST", body: form });
    return { status: response.status, answer: await response.json() };
  } catch {
    return { status: 0, answer: null };
  }
}
