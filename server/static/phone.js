// The page that runs a model in the visitor's own browser. Photos go nowhere: they are decoded, looked at and forgotten here.

import { inWords, showBars } from "./phone-answer.js";
import { Camera } from "./phone-camera.js";
import { drawHeat, heatOf } from "./phone-heat.js";
import { Model, TooNew } from "./phone-model.js";
import { partsOf } from "./phone-parts.js";
import { decoded, squareOf, Unreadable } from "./phone-pixels.js";
import { say } from "./messages.js";

const PICTURE_PX = 320;
const MOST_SHOWN = 12; // the oldest answers give way, so that a phone's memory is enough
const page = document.getElementById("phone");
const find = (name) => document.getElementById(name);

class PhonePage {
  #turn = Promise.resolve();

  constructor(model) {
    this.model = model;
    new Camera(model, find);
    this.#listen();
  }

  #listen() {
    const input = find("photos-input");
    find("choose-photos").hidden = false;
    find("choose-photos").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.take([...input.files]);
      input.value = ""; // so that the same photo can be chosen once more
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.take([...event.dataTransfer.files]);
    });
    document.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length > 0) this.take(files);
      else tell(say("noPicturePasted"));
    });
  }

  /** A button that shows what the model looked at, and then the photo again. */
  #offerHeat(part, pixels, answer) {
    const [button, canvas] = [part("show-heat"), part("answer-photo")];
    const pictures = { false: canvas.cloneNode(), true: null };
    copy(canvas, pictures.false);
    button.hidden = false;
    button.addEventListener("click", async () => {
      const isShown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", isShown);
      if (isShown) pictures.true ??= this.#heatOver(pictures.false, pixels, answer);
      part("heat-words").textContent = isShown ? say("phoneHeat", { label: answer.label }) : "";
      copy(await pictures[isShown], canvas);
    });
  }

  /** A copy of a picture under what speaks for the answer. */
  async #heatOver(picture, pixels, answer) {
    const { heads, labels, rules } = this.model;
    this.#turn = this.#turn.then(() => this.model.mapsOf(pixels));
    const canvas = picture.cloneNode();
    copy(picture, canvas);
    drawHeat(canvas, heatOf(heads.heads, await this.#turn, labels.indexOf(answer.label)), rules.aspect);
    return canvas;
  }

  /** Photos are answered one after the other. */
  take(files) {
    for (const file of files) this.#turn = this.#turn.then(() => this.#answer(file));
  }

  async #answer(file) {
    const card = find("answer-card").content.firstElementChild.cloneNode(true);
    const part = (name) => card.querySelector(`.${name}`);
    for (const name of ["file-name", "heat-name"]) part(name).textContent = file.name;
    tell(say("lookingAt", { path: file.name }));
    await new Promise((resolve) => setTimeout(resolve)); // so that this is seen before the work begins
    try {
      const photo = await decoded(file);
      const pixels = squareOf(photo, this.model.sizePx, this.model.rules);
      const answer = await this.model.ask(pixels);
      draw(photo.bitmap, part("answer-photo"));
      photo.bitmap.close();
      if (this.model.heads) this.#offerHeat(part, pixels, answer);
      part("answer-words").textContent = inWords(answer);
      showBars(part("bars"), answer, this.model.labels, false);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      for (const name of ["answer-photo", "show-heat", "heat-words"]) part(name).remove();
      part("bars").remove();
      part("answer-words").textContent = say(error.message);
    } finally {
      find("answers").prepend(card);
      for (const old of [...find("answers").children].slice(MOST_SHOWN)) old.remove();
      tell(say("answered", { path: file.name, words: part("answer-words").textContent }), false);
    }
  }
}

function draw(bitmap, canvas) {
  const scale = Math.min(1, PICTURE_PX / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

function copy(from, to) {
  Object.assign(to, { width: from.width, height: from.height });
  to.getContext("2d").drawImage(from, 0, 0);
}

/** `isSeen`: whether it is also shown; else it is only read out, since it stands elsewhere on the page. */
function tell(sentence, isSeen = true) {
  find("status").classList.toggle("visually-hidden", !isSeen);
  find("status").textContent = sentence;
}

/** Keeps the page in the browser, where that is possible: with a safe address. */
async function keepForLater() {
  if (!page.dataset.worker || !navigator.serviceWorker) return say("phoneOnline");
  try {
    await navigator.serviceWorker.register(page.dataset.worker);
    await navigator.serviceWorker.ready;
    const kept = await caches.open(page.dataset.cache);
    return say((await kept.match(page.dataset.model)) ? "phoneOffline" : "phoneOnline");
  } catch {
    return say("phoneOnline");
  }
}

async function open() {
  const progress = find("progress");
  try {
    const parts = await partsOf(page, (share) => (progress.value = share));
    const threshold = page.dataset.threshold ? Number(page.dataset.threshold) : null;
    const model = await Model.open({ ...parts, threshold });
    progress.hidden = true;
    tell(say("phoneReady"));
    page.dataset.state = "ready";
    return new PhonePage(model);
  } catch (error) {
    progress.hidden = true;
    tell(say(error instanceof TooNew ? "phoneTooNew" : "phoneNotLoaded"));
    page.dataset.state = "failed";
    console.error(error);
    return null;
  }
}

if ((await open()) && page.dataset.cache) find("kept").textContent = await keepForLater();
