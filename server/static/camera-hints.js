// What can be said about photos from their pixels: too dark, blurred, all alike, one background.

import { say } from "./messages.js";

const LOOK_PX = 320; // longer side of what is measured: networks see about as much
const GRID = 16; // cells each way of the coarse picture
const EDGE_CELLS = 2; // of the coarse picture: mostly background
const SHARE_SEEN = 0.99;

// Set on training photographs, as they are, blurred and darkened (`bench.camera`).
const DARK_MEAN = 45; // of 255
const DARK_HIGH = 110; // of 255, of the brightest hundredth
const MIN_SHARPNESS = 0.05;
const MIN_CONTRAST = 25; // gray levels; below, there is nothing that could be in focus
const ALIKE_MEAN = 3; // gray levels between two photos, on average over the coarse picture
const SAME_BACKGROUND = 14; // gray levels between two series
const MOST_BAD = 0.5; // a hint is given where more than so many photos have the fault
const FEW = 20;
const ENOUGH_FOR_SERIES = 8;

const scratch = document.createElement("canvas");

/** {light, high, contrast, sharpness, coarse} of a picture that can be drawn, `width` by `height` pixels. */
export function measured(picture, width, height) {
  const scale = Math.min(1, LOOK_PX / Math.max(width, height));
  Object.assign(scratch, { width: Math.max(3, Math.round(width * scale)), height: Math.max(3, Math.round(height * scale)) });
  const context = scratch.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0, scratch.width, scratch.height);
  return measuredPixels(context.getImageData(0, 0, scratch.width, scratch.height));
}

/** The same of an ImageData. */
export function measuredPixels({ data, width, height }) {
  const gray = new Float32Array(width * height);
  for (let i = 0; i < gray.length; i += 1) gray[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  const sorted = gray.slice().sort();
  const high = sorted[Math.floor(SHARE_SEEN * (sorted.length - 1))];
  const low = sorted[Math.ceil((1 - SHARE_SEEN) * (sorted.length - 1))];
  return {
    light: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
    high,
    contrast: high - low,
    sharpness: steepest(gray, width, height) / Math.max(1, high - low),
    coarse: coarseOf(gray, width, height),
  };
}

/** How much the sharpest hundredth of all pixels stand out from their neighbours, in gray levels: half of the Laplacian. */
function steepest(gray, width, height) {
  const edges = new Float32Array((width - 2) * (height - 2));
  for (let y = 1, n = 0; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1, n += 1) {
      const i = y * width + x;
      edges[n] = Math.abs(4 * gray[i] - gray[i - 1] - gray[i + 1] - gray[i - width] - gray[i + width]) / 2;
    }
  }
  return edges.sort()[Math.floor(SHARE_SEEN * (edges.length - 1))];
}

function coarseOf(gray, width, height) {
  const [sums, counts] = [new Float32Array(GRID * GRID), new Float32Array(GRID * GRID)];
  for (let i = 0; i < gray.length; i += 1) {
    const cell = Math.floor((Math.floor(i / width) * GRID) / height) * GRID + Math.floor(((i % width) * GRID) / width);
    sums[cell] += gray[i];
    counts[cell] += 1;
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell]));
}

const isDark = ({ light, high }) => light < DARK_MEAN && high < DARK_HIGH;
const isBlurred = ({ contrast, sharpness }) => contrast >= MIN_CONTRAST && sharpness < MIN_SHARPNESS;

/**
 * The one sentence that helps most with the photos of a kind, given as series of what `measured` has returned. Light and focus
 * are those of the last series, since that is what its user can change now.
 */
export function hintFor(series) {
  const taken = series.filter((one) => one.length > 0);
  const n = taken.reduce((sum, one) => sum + one.length, 0);
  if (n === 0) return "";
  const last = taken.at(-1);
  if (share(last, isDark) > MOST_BAD) return say("hintDark");
  if (share(last, isBlurred) > MOST_BAD) return say("hintBlurred");
  const steps = last.slice(1).map((one, i) => distance(one.coarse, last[i].coarse));
  if (share(steps, (step) => step < ALIKE_MEAN) > MOST_BAD) return say("hintAlike");
  if (taken.length === 1 && n >= ENOUGH_FOR_SERIES) return say("hintOneSeries");
  if (taken.length > 1 && haveOneBackground(taken)) return say("hintBackground");
  return n < FEW ? say("hintFew", { n }) : say("hintEnough");
}

function share(items, holds) {
  return items.length ? items.filter(holds).length / items.length : 0;
}

function distance(one, other, counts = () => true) {
  let [sum, n] = [0, 0];
  for (let cell = 0; cell < one.length; cell += 1) {
    if (!counts(cell)) continue;
    sum += Math.abs(one[cell] - other[cell]);
    n += 1;
  }
  return sum / n;
}

const isAtEdge = (cell) => [cell % GRID, Math.floor(cell / GRID)].some((at) => at < EDGE_CELLS || at >= GRID - EDGE_CELLS);

/** Whether the edges of all series look about the same on average. */
function haveOneBackground(taken) {
  const means = taken.map((one) => one[0].coarse.map((_, cell) => one.reduce((sum, { coarse }) => sum + coarse[cell], 0) / one.length));
  return means.slice(1).every((mean) => distance(mean, means[0], isAtEdge) < SAME_BACKGROUND);
}
