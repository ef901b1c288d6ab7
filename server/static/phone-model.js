// A delivered model.onnx in the browser: ONNX Runtime Web on one thread, and what the model says of itself.

import * as ort from "./vendor/ort.wasm.bundle.min.mjs";

const CONTRACT_VERSIONS = [1, 2];
const ASPECTS = ["squeeze", "whole", "crop"];
const BACKGROUNDS = { white: 255, gray: 128, black: 0 };
const OLDER = { version: 0, aspect: "squeeze", background: 255 }; // of models from before there was a contract
const METADATA = 14; // the numbers of the fields in an ONNX model: of itself, of its graph and of an initializer
const GRAPH = 7;
const INITIALIZER = 5;
const NAME = 8;
const NUMBERS = 9;

/** A model is newer than this page. */
export class TooNew extends Error {}

export class Model {
  /** `wasm` and `model`: bytes. `threshold`: the confidence of a sure answer; null for the model's own. */
  static async open({ wasm, model, threshold }) {
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm });
    const said = metadataOf(model);
    const rules = rulesOf(said);
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return new Model(session, said, { rules, threshold, heads: headsOf(said, model) });
  }

  constructor(session, said, { rules, threshold, heads }) {
    this.session = session;
    this.heads = heads;
    this.labels = said.labels.split("\n");
    this.sizePx = Number(said.image_size_px);
    this.rules = rules;
    this.threshold = threshold ?? rules.sure;
    this.foreign = rules.foreign;
  }

  /** What it says of the pixels of a square, RGB, 0-255, row after row. */
  async ask(pixels) {
    const names = this.session.outputNames;
    const found = await this.#run(pixels, names.slice(0, 1).concat(names.filter((name) => name === "distance")));
    const probabilities = Array.from(found[names[0]].data);
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

  /** The feature maps of such pixels, in the order of `heads.maps`, each {values, shape: [1, channels, height, width]}. */
  async mapsOf(pixels) {
    const found = await this.#run(pixels, this.heads.maps);
    return this.heads.maps.map((name) => ({ values: found[name].data, shape: found[name].dims }));
  }

  /** Only the outputs `names` are copied out of the memory of ONNX Runtime. */
  #run(pixels, names) {
    const input = new ort.Tensor("float32", new Float32Array(pixels), [1, this.sizePx, this.sizePx, 3]);
    return this.session.run({ [this.session.inputNames[0]]: input }, names);
  }
}

/**
 * The heads of a model that can be explained: `maps`, the names of the outputs with its feature maps, and of each head
 * its taps and its layers, kernel and bias; null of any other model.
 */
function headsOf(said, model) {
  if (!said.heads) return null;
  const { maps, heads } = JSON.parse(said.heads);
  const wanted = heads.flatMap(({ n_layers: n }, head) => Array.from({ length: n }, (_, layer) => `head_${head}_${layer}`));
  const arrays = numbersOf(model, new Set(wanted.flatMap((name) => [`${name}/kernel`, `${name}/bias`])));
  const layersOf = (head, n) => Array.from({ length: n }, (_, layer) => `head_${head}_${layer}`).map((name) => ({ kernel: arrays[`${name}/kernel`], bias: arrays[`${name}/bias`] }));
  return { maps, heads: heads.map(({ taps, is_unit: isUnit, n_layers: n }, head) => ({ taps, isUnit, layers: layersOf(head, n) })) };
}

/** The initializers of these names, each a Float32Array. */
function numbersOf(model, names) {
  const text = new TextDecoder();
  const graph = [...fieldsOf(model)].find(([number]) => number === GRAPH)[1];
  const found = {};
  for (const [number, value] of fieldsOf(graph)) {
    if (number !== INITIALIZER) continue;
    const parts = Object.fromEntries(fieldsOf(value));
    const name = text.decode(parts[NAME]);
    if (names.has(name)) found[name] = new Float32Array(parts[NUMBERS].slice().buffer);
  }
  return found;
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
