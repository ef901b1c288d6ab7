// A delivered model.onnx in the browser: ONNX Runtime Web on one thread, and what the model says of itself.

import * as ort from "./vendor/ort.wasm.bundle.min.mjs";

const CONTRACT_VERSIONS = [1, 2];
const ASPECTS = ["squeeze", "whole", "crop"];
const BACKGROUNDS = { white: 255, gray: 128, black: 0 };
const OLDER = { version: 0, aspect: "squeeze", background: 255 }; // of models from before there was a contract
const METADATA = 14; // the number of the field in an ONNX model

/** A model is newer than this page. */
export class TooNew extends Error {}

export class Model {
  /** `wasm` and `model`: bytes. `threshold`: the confidence of a sure answer; null for the model's own. */
  static async open({ wasm, model, threshold }) {
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm });
    const said = metadataOf(model);
    const rules = rulesOf(said);
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return new Model(session, said, { rules, threshold });
  }

  constructor(session, said, { rules, threshold }) {
    this.session = session;
    this.labels = said.labels.split("\n");
    this.sizePx = Number(said.image_size_px);
    this.rules = rules;
    this.threshold = threshold ?? rules.sure;
    this.foreign = rules.foreign;
  }

  /** What it says of the pixels of a square, RGB, 0-255, row after row. */
  async ask(pixels) {
    const input = new ort.Tensor("float32", new Float32Array(pixels), [1, this.sizePx, this.sizePx, 3]);
    const found = await this.session.run({ [this.session.inputNames[0]]: input });
    const probabilities = Array.from(found[this.session.outputNames[0]].data);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const confidence = probabilities[best];
    const distance = found.distance?.data[0];
    return {
      probabilities,
      confidence,
      label: this.labels[best],
      isUnsure: this.threshold !== null && confidence < this.threshold,
      isForeign: this.foreign !== null && distance !== undefined && distance > this.foreign,
      ranked: this.labels.map((label, i) => [label, probabilities[i]]).sort(([, a], [, b]) => b - a),
    };
  }
}

/**
 * How a photo becomes the pixels that the model sees, from the contract in the model; and, null where that is not known,
 * the confidence of a sure answer and the distance from which on a photo is like nothing that was learned.
 */
export function rulesOf(said) {
  const contract = JSON.parse(said["serving.json"] || "{}");
  const thresholds = { sure: numberIn(contract.sure ?? said.sure), foreign: numberIn(contract.foreign ?? said.foreign) };
  if (!said["serving.json"]) return { ...OLDER, ...thresholds };
  const { version, orientation, aspect, background } = contract;
  if (!CONTRACT_VERSIONS.includes(version) || orientation !== "exif" || !ASPECTS.includes(aspect)) throw new TooNew();
  return { version, aspect, background: BACKGROUNDS[background], ...thresholds };
}

/** The metadata of an ONNX model, by name. A model is a message of Protocol Buffers, and so is each entry. */
export function metadataOf(model) {
  const text = new TextDecoder();
  const found = {};
  for (const [number, value] of fieldsOf(model)) {
    if (number !== METADATA) continue;
    const entry = Object.fromEntries(fieldsOf(value));
    found[text.decode(entry[1])] = text.decode(entry[2]);
  }
  return found;
}

function* fieldsOf(bytes) {
  let at = 0;
  const next = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (!(byte & 128)) return value;
    }
  };
  while (at < bytes.length) {
    const tag = next();
    const kind = tag & 7;
    let value = null;
    if (kind === 0) value = next();
    else {
      const length = kind === 2 ? next() : kind === 1 ? 8 : 4;
      value = bytes.subarray(at, at + length);
      at += length;
    }
    yield [Math.floor(tag / 8), value];
  }
}

function numberIn(value) {
  const number = ["number", "string"].includes(typeof value) && value !== "" ? Number(value) : NaN;
  return Number.isFinite(number) ? number : null;
}
