// Takes photos with the camera of the device. Browsers lend it to safe pages only: https, or this very machine.

import { say } from "./messages.js";
import { ask } from "./try-ask.js";

const LOOK_EVERY_MS = 1000;
const LOOK_PX = 640; // longer side of what is sent while it keeps looking: networks see a few hundred pixels

export class Camera {
  #stream = null;
  #looking = null; // whoever keeps looking; two presses of the button must not make two of them

  /** `onPhoto` is called with each photo as a File. */
  constructor(form, panel, onPhoto) {
    Object.assign(this, { form, panel, onPhoto });
    this.find = (id) => panel.querySelector(`#${id}`);
    const [button, note] = [form.querySelector("#use-camera"), form.querySelector("#camera-note")];
    Object.assign(this, { button, note, video: panel.querySelector("video") });
    if (!navigator.mediaDevices?.getUserMedia) {
      button.disabled = true;
      note.textContent = say("cameraNeedsSafety");
      return;
    }
    button.addEventListener("click", () => this.#start());
    this.find("take-photo").addEventListener("click", () => this.#take());
    this.find("stop-camera").addEventListener("click", () => this.#stop());
    this.find("keep-looking").addEventListener("click", () => (this.#looking ? this.#lookAway() : this.#keepLooking()));
    document.addEventListener("visibilitychange", () => document.hidden && this.#lookAway());
    window.addEventListener("pagehide", () => this.#stop());
  }

  async #start() {
    this.note.textContent = "";
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      const refused = error.name === "NotAllowedError";
      this.note.textContent = say(refused ? "cameraRefused" : "noCamera");
      return;
    }
    this.video.srcObject = this.#stream;
    await this.video.play();
    this.panel.hidden = false;
    this.button.disabled = true;
    this.find("take-photo").focus();
  }

  async #take() {
    const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
    this.onPhoto(await this.#picture(`camera-${time}.jpg`));
  }

  async #picture(name, mostPx = Infinity) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, mostPx / Math.max(videoWidth, videoHeight));
    const canvas = Object.assign(document.createElement("canvas"), { width: videoWidth * scale, height: videoHeight * scale });
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
    return new File([blob], name, { type: "image/jpeg" });
  }

  async #keepLooking() {
    const mine = (this.#looking = Symbol("looking"));
    this.find("keep-looking").setAttribute("aria-pressed", "true");
    while (this.#looking === mine) {
      const pause = new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      const answer = await ask(this.form, "camera.jpg", await this.#picture("camera.jpg", LOOK_PX));
      if (this.#looking === mine) this.#say(answer);
      await pause;
    }
  }

  #say({ article, reason, mayTryAgain }) {
    const heading = article?.querySelector(".answer-label");
    const table = article?.querySelector("table");
    if (heading) {
      const rows = [...table.tBodies[0].rows]; // always in the same order, so that only the bars move
      table.tBodies[0].append(...rows.sort((a, b) => a.cells[0].textContent.localeCompare(b.cells[0].textContent)));
    }
    this.find("camera-says").replaceChildren(...(heading ? [heading, table] : [reason ?? say("noCameraPicture")]));
    this.find("camera-says").hidden = false;
    const label = heading?.querySelector("strong").textContent ?? reason;
    if (this.find("camera-said").textContent !== label) this.find("camera-said").textContent = label; // a change only: each second would be too much to listen to
    if (!heading && !mayTryAgain) this.#lookAway();
  }

  #lookAway() {
    this.#looking = null;
    this.find("keep-looking").setAttribute("aria-pressed", "false");
  }

  #stop() {
    this.#lookAway();
    this.find("camera-says").hidden = true;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
    this.button.disabled = false;
    if (!this.panel.hidden) {
      this.panel.hidden = true;
      this.button.focus();
    }
  }
}
