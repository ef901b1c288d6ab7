// The camera on the phone page: looks again as soon as it has answered. Pictures stay in the memory of the page.

import { inWords, showBars } from "./phone-answer.js";
import { reductionOf, squareOf } from "./phone-pixels.js";
import { say } from "./messages.js";

const PAUSE_MS = 150; // so that the page stays quick to the touch, and a phone cool

export class Camera {
  #stream = null;

  /** `model`: as opened; `find`: gives the element of a name. */
  constructor(model, find) {
    Object.assign(this, { model, find, video: find("video"), button: find("use-camera") });
    this.button.hidden = false;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.button.disabled = true;
      find("camera-note").textContent = say("cameraNeedsSafety");
      return;
    }
    this.button.addEventListener("click", () => this.#start());
    find("stop-camera").addEventListener("click", () => this.#stop());
    document.addEventListener("visibilitychange", () => document.hidden && this.#stop());
    window.addEventListener("pagehide", () => this.#stop());
  }

  async #start() {
    if (this.#stream) return;
    this.find("camera-note").textContent = "";
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      this.find("camera-note").textContent = say(error.name === "NotAllowedError" ? "cameraRefused" : "noCamera");
      return;
    }
    this.video.srcObject = this.#stream;
    this.find("camera").hidden = false;
    this.button.hidden = true;
    this.find("stop-camera").focus();
    await this.video.play();
    await this.#look(this.#stream);
  }

  async #look(stream) {
    while (this.#stream === stream) {
      if (this.video.videoWidth > 0) this.#say(await this.#answer(), stream);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #answer() {
    const bitmap = await createImageBitmap(this.video);
    const reduction = reductionOf(bitmap.width, bitmap.height); // as if it had been taken as a photo
    const pixels = squareOf({ bitmap, reduction }, this.model.sizePx, this.model.rules);
    bitmap.close();
    return this.model.ask(pixels);
  }

  #say(answer, stream) {
    if (this.#stream !== stream) return;
    this.find("camera-says").textContent = inWords(answer);
    showBars(this.find("camera-bars"), answer, this.model.labels, true);
    const told = answer.isForeign || answer.isUnsure ? say("notSure") : answer.label;
    if (this.find("camera-told").textContent !== told) this.find("camera-told").textContent = told; // a change only: all would be too much to listen to
  }

  #stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    const hadFocus = this.find("camera").contains(document.activeElement);
    this.#stream = null;
    this.video.srcObject = null;
    this.find("camera").hidden = true;
    this.button.hidden = false;
    if (hadFocus) this.button.focus();
  }
}
