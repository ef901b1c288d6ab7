// One kind on the camera page: its name, its photos in the series in which they were taken, and what would help.

import { hintFor, measured } from "./camera-hints.js";
import { whileHeld } from "./camera-hold.js";
import { newBurst, nameOf } from "./camera-shots.js";
import { asFile } from "./camera-video.js";
import { say } from "./messages.js";

const THUMB_PX = 96;

export class Kind {
  series = [];
  #isHeld = false;
  #deleted = null; // what was deleted last, so that it can be put back
  #stopHolding;

  /** `onChange` is called when photos or the name have changed, `onRemove` to take the kind off the page. */
  constructor(label, { video, isPressedOnce, onChange, onRemove }) {
    Object.assign(this, { video, onChange });
    this.element = copyOf("kind-template");
    this.find = (selector) => this.element.querySelector(selector);
    this.input = this.find(".kind-name");
    this.input.value = label;
    this.input.readOnly = Boolean(label);
    this.input.addEventListener("input", () => this.#show());
    this.find(".remove-kind").addEventListener("click", () => onRemove(this));
    this.find(".put-back").addEventListener("click", () => this.#putBack());
    this.#stopHolding = whileHeld(this.find(".hold"), {
      onStart: () => ((this.#isHeld = true), this.#begin()),
      onTick: () => this.#take(this.series.at(-1)),
      onStop: () => ((this.#isHeld = false), this.#show()),
      isPressedOnce,
    });
    for (const [selector, keepsNames] of [[".take-one", false], [".choose-some", true]]) {
      const field = this.find(selector);
      field.addEventListener("change", async () => {
        const files = [...field.files];
        field.value = ""; // so that the same photo can be chosen once more
        for (const file of files) await this.#addFile(file, keepsNames);
      });
    }
    this.#show();
  }

  get label() {
    return this.input.value.trim();
  }

  get shots() {
    return this.series.flatMap(({ shots }) => shots);
  }

  get unsent() {
    return this.shots.filter(({ isSent }) => !isSent);
  }

  /** Photos are taken by holding a button while the camera `isOn`, and one by one where it `isMissing`. */
  setCamera({ isOn, isMissing }) {
    if (!isOn) this.#stopHolding();
    this.find(".hold").hidden = !isOn;
    this.find(".single-photos").hidden = !isMissing;
    this.find(".camera-is-off").hidden = isOn || isMissing;
  }

  /** These photos have arrived: they are deleted on the page of the data set from now on. */
  markSent(shots) {
    for (const shot of shots) {
      shot.isSent = true;
      shot.button.disabled = true;
    }
    this.input.readOnly = true;
    this.#forgetDeleted();
    this.#show();
  }

  #begin() {
    const element = copyOf("series-template");
    const series = { burst: newBurst(), shots: [], taken: 0, element };
    element.querySelector(".delete-series").addEventListener("click", () => this.#delete(series.shots.filter(({ isSent }) => !isSent)));
    element.querySelector(".shots").addEventListener("keydown", walk);
    this.series.push(series);
    this.find(".series-list").append(element);
    return series;
  }

  async #take(series) {
    const canvas = this.video.picture();
    if (!canvas) return;
    const number = (series.taken += 1);
    const [thumbnail, facts] = [thumbnailOf(canvas, canvas.width, canvas.height), measured(canvas, canvas.width, canvas.height)];
    this.#add(series, { thumbnail, facts, number, file: await asFile(canvas, nameOf(series.burst, number)) });
    if (!this.#isHeld) this.#show(); // the last one of a series is packed after its end
  }

  /** A photo that another program has taken: nothing is known of a burst, so each stands for itself. */
  async #addFile(file, keepsName) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      this.find(".kind-hint").textContent = say("shotsUnreadable", { path: file.name });
      return;
    }
    const { width, height } = bitmap;
    const series = this.#begin();
    const name = keepsName ? file.name : nameOf(series.burst, 1, /\.\w+$/.exec(file.name)?.[0].toLowerCase());
    const [thumbnail, facts] = [thumbnailOf(bitmap, width, height), measured(bitmap, width, height)];
    bitmap.close();
    this.#add(series, { thumbnail, facts, number: 1, file: new File([file], name, { type: file.type }) });
    this.#show();
  }

  #add(series, shot) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "shot", tabIndex: series.shots.length ? -1 : 0 });
    button.append(shot.thumbnail);
    button.addEventListener("click", () => this.#delete([shot]));
    Object.assign(shot, { button, series, isSent: false });
    series.shots.push(shot);
    series.element.querySelector(".shots").append(button);
    this.#showCounts();
  }

  #delete(shots) {
    if (shots.length === 0) return;
    this.#deleted = shots;
    const next = shots.length === 1 ? (shots[0].button.nextElementSibling ?? shots[0].button.previousElementSibling) : null;
    for (const shot of shots) {
      shot.series.shots = shot.series.shots.filter((one) => one !== shot);
      shot.button.remove();
    }
    this.#show();
    (next ?? this.find(".put-back")).focus();
  }

  #putBack() {
    for (const shot of this.#deleted) {
      shot.series.shots = [...shot.series.shots, shot].sort((one, other) => one.number - other.number);
      shot.series.element.querySelector(".shots").replaceChildren(...shot.series.shots.map(({ button }) => button));
    }
    const [{ button }] = this.#deleted;
    this.#forgetDeleted();
    this.#show();
    button.focus();
  }

  #forgetDeleted() {
    this.#deleted = null;
  }

  #show() {
    const named = this.label || say("shotsUnnamed");
    this.element.setAttribute("aria-label", named);
    this.find(".of-kind").textContent = ` ${say("shotsOfKind", { label: named })}`;
    this.find(".kind-hint").textContent = hintFor(this.series.map(({ shots }) => shots.map(({ facts }) => facts)));
    const n = this.#deleted?.length ?? 0;
    this.find(".put-back").hidden = n === 0;
    this.find(".put-back").textContent = say("shotsPutBack", { n });
    this.#showCounts();
  }

  #showCounts() {
    const filled = this.series.filter(({ shots }) => shots.length > 0);
    const n = this.shots.length;
    this.find(".kind-count").textContent = n ? say("shotsCount", { n, series: filled.length }) : "";
    this.find(".remove-kind").hidden = n > 0;
    for (const [index, { shots, element }] of filled.entries()) {
      const left = shots.filter(({ isSent }) => !isSent).length;
      element.querySelector(".series-title").textContent = say("shotsSeries", { number: index + 1, n: shots.length });
      element.querySelector(".shots").setAttribute("aria-label", say("shotsSeries", { number: index + 1, n: shots.length }));
      const button = element.querySelector(".delete-series");
      button.hidden = left < 2; // one alone has its own
      button.textContent = say("shotsDeleteSeries", { n: left });
      for (const [place, shot] of shots.entries()) {
        shot.button.setAttribute("aria-label", say("shotsDelete", { place: place + 1, number: index + 1 }));
        shot.button.tabIndex = place === 0 ? 0 : -1;
      }
    }
    for (const { shots, element } of this.series) element.hidden = shots.length === 0;
    this.onChange();
  }
}

function copyOf(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function thumbnailOf(picture, width, height) {
  const side = Math.min(width, height);
  const canvas = Object.assign(document.createElement("canvas"), { width: THUMB_PX, height: THUMB_PX });
  canvas.getContext("2d").drawImage(picture, (width - side) / 2, (height - side) / 2, side, side, 0, 0, THUMB_PX, THUMB_PX);
  return canvas;
}

/** The photos of a series are one stop of the Tab key; the arrows go on from there. */
function walk(event) {
  const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
  const next = step && document.activeElement[step];
  if (!next) return;
  event.preventDefault();
  document.activeElement.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
