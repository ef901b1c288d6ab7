// Takes photos with the camera of the device. Browsers lend it to safe pages only: https, or this very machine.

export class Camera {
  #stream = null;

  /** `onPhoto` is called with each photo as a File. */
  constructor(panel, button, note, onPhoto) {
    Object.assign(this, { panel, button, note, onPhoto });
    this.video = panel.querySelector("video");
    if (!navigator.mediaDevices?.getUserMedia) {
      button.disabled = true;
      note.textContent = "Browsers lend the camera only to pages with a safe address (https, or localhost), and this is none.";
      return;
    }
    button.addEventListener("click", () => this.#start());
    panel.querySelector("#take-photo").addEventListener("click", () => this.#take());
    panel.querySelector("#stop-camera").addEventListener("click", () => this.#stop());
    window.addEventListener("pagehide", () => this.#stop());
  }

  async #start() {
    this.note.textContent = "";
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      const refused = error.name === "NotAllowedError";
      this.note.textContent = refused ? "The camera was not allowed. Your browser's settings for this page can allow it." : "No camera was found.";
      return;
    }
    this.video.srcObject = this.#stream;
    await this.video.play();
    this.panel.hidden = false;
    this.button.disabled = true;
    this.panel.querySelector("#take-photo").focus();
  }

  async #take() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.video.videoWidth, this.video.videoHeight];
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
    const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
    this.onPhoto(new File([blob], `camera-${time}.jpg`, { type: "image/jpeg" }));
  }

  #stop() {
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
