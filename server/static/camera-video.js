// The camera of the device for the page that takes photos: on, off, another one, and what it sees now.

import { say } from "./messages.js";

const MOST_PX = 1024; // longer side of a photo: networks see a few hundred pixels, and phones send over the air
const QUALITY = 0.9;

export class Video {
  isMissing = !navigator.mediaDevices?.getUserMedia; // or it was refused
  #stream = null;
  #canvas = document.createElement("canvas");

  /** `onChange` is called as the camera goes on and off, `onNote` with a sentence, also an empty one. */
  constructor(video, { onChange, onNote }) {
    Object.assign(this, { video, onChange, onNote });
    window.addEventListener("pagehide", () => this.stop());
  }

  get isOn() {
    return this.#stream !== null;
  }

  /** The camera of this id, or the one that looks away from the user where there are two. */
  async start(deviceId = "") {
    this.#release();
    this.onNote("");
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } } });
      this.video.srcObject = this.#stream;
      await this.video.play();
    } catch (error) {
      this.isMissing = true;
      this.stop();
      this.onNote(whyNot(error));
      return;
    }
    this.isMissing = false;
    for (const track of this.#stream.getTracks()) track.addEventListener("ended", () => this.#ended(track));
    this.onChange();
  }

  stop() {
    this.#release();
    this.onChange();
  }

  /** What it sees now, as a canvas that the next call draws over; null before the first picture. */
  picture() {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth) return null;
    const scale = Math.min(1, MOST_PX / Math.max(videoWidth, videoHeight));
    Object.assign(this.#canvas, { width: Math.round(videoWidth * scale), height: Math.round(videoHeight * scale) });
    this.#canvas.getContext("2d", { willReadFrequently: true }).drawImage(this.video, 0, 0, this.#canvas.width, this.#canvas.height);
    return this.#canvas;
  }

  /** The id of the camera that is on, and all cameras as {id, title}; known only while one is on. */
  async cameras() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }) => ({ id: deviceId, title: label }));
    return { cameras, chosen: this.#stream?.getVideoTracks()[0]?.getSettings().deviceId };
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
  }

  #ended(track) {
    if (!this.#stream?.getTracks().includes(track)) return;
    this.stop();
    this.onNote(say("shotsCameraEnded"));
  }
}

/** The picture as a JPEG file of this name; to be called at once, since the canvas is drawn over. */
export async function asFile(canvas, name) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], name, { type: "image/jpeg" });
}

function whyNot({ name }) {
  if (name === "NotAllowedError") return say("shotsCameraBlocked");
  if (name === "NotFoundError" || name === "OverconstrainedError") return say("shotsNoCamera");
  return say("shotsCameraBusy");
}
