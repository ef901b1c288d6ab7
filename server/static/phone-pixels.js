// From the bytes of a photo to the square that the model sees, in the browser, as predict.py does it: the same reduction
// of a JPEG, the same resampling as Pillow's (its BILINEAR with a support that grows with the reduction, in whole numbers),
// the same square. Only the decoder is the browser's.

import { isCutOff, isPrint, kindOf, withoutProfile } from "./phone-file.js";

const DECODE_PX = 320; // as in predict.py
const REDUCTIONS = [8, 4, 2]; // at which libjpeg can decode
const PRECISION_BITS = 22; // Pillow's, for values of 8 bits
const STRIP_PIXELS = 1 << 20; // phones allow no canvas as large as their photos

/** A photo that this page cannot read as predict.py would. `message`: the name of a sentence in messages.js. */
export class Unreadable extends Error {}

/** A photo file as {bitmap, reduction}. The bitmap is upright and in its own colours, without a profile. */
export async function decoded(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  if (kind === "tiff") throw new Unreadable("phoneNoTiff");
  if (!kind) throw new Unreadable("phoneUnknownKind");
  if (kind === "png" && bytes[24] === 16) throw new Unreadable("phoneDeep");
  if (kind === "jpeg" && isPrint(bytes)) throw new Unreadable("phonePrint");
  if (isCutOff(kind, bytes)) throw new Unreadable("phoneDamaged");
  const plain = new Blob(withoutProfile(kind, bytes), { type: `image/${kind}` });
  let bitmap;
  try {
    bitmap = await createImageBitmap(plain, { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch {
    throw new Unreadable("phoneDamaged");
  }
  return { bitmap, reduction: kind === "jpeg" ? reductionOf(bitmap.width, bitmap.height) : 1 };
}

/** By how much Pillow lets libjpeg reduce a JPEG of this size while it is decoded. */
export function reductionOf(width, height) {
  const most = Math.floor(Math.min(width, height) / DECODE_PX);
  return REDUCTIONS.find((one) => most >= one) ?? 1;
}

/** Uint8Array (sizePx * sizePx * 3) of a bitmap, a canvas or a frame of a video. */
export function squareOf({ bitmap, reduction }, sizePx, rules) {
  const width = Math.ceil(bitmap.width / reduction);
  const height = Math.ceil(bitmap.height / reduction);
  const window = rules.aspect === "crop" ? middleOf(width, height) : { left: 0, upper: 0, width, height };
  const [toWidth, toHeight] = rules.aspect === "whole" ? shapeWithin(width, height, sizePx) : [sizePx, sizePx];
  const across = weightsOf(window.width, toWidth);
  const narrow = new Uint8Array(window.height * toWidth * 3);
  let isClear = true;
  for (const strip of stripsOf(bitmap, reduction)) {
    isClear = flatten(strip, rules.background) && isClear;
    const { upper, nRows, values } = reduced(strip, reduction);
    for (let y = Math.max(0, window.upper - upper); y < nRows && upper + y < window.upper + window.height; y += 1) {
      const into = (upper + y - window.upper) * toWidth * 3;
      resample(across, values, { from: (y * width + window.left) * 3, step: 3, target: narrow, into, stride: 3 });
    }
  }
  if (isClear && rules.version > 0) throw new Unreadable("phoneAllClear");
  return placed(tall(narrow, toWidth, window.height, toHeight), [toWidth, toHeight], sizePx, rules.background);
}

/** The pixels of a bitmap, some rows at a time; their number is a multiple of `reduction` but for the last ones. */
function* stripsOf(bitmap, reduction) {
  const { width, height } = bitmap;
  const most = Math.max(1, Math.floor(STRIP_PIXELS / width / reduction)) * reduction;
  const canvas = Object.assign(document.createElement("canvas"), { width, height: Math.min(most, height) });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (let upper = 0; upper < height; upper += most) {
    const nRows = Math.min(most, height - upper);
    context.clearRect(0, 0, width, canvas.height);
    context.drawImage(bitmap, 0, upper, width, nRows, 0, 0, width, nRows);
    yield { upper, nRows, width, values: context.getImageData(0, 0, width, nRows).data };
  }
  canvas.width = 0; // gives the memory back at once
}

/** Puts a strip before the background. Returns whether nothing of it can be seen. */
function flatten({ values }, background) {
  let isClear = true;
  for (let i = 3; i < values.length; i += 4) {
    const alpha = values[i];
    if (alpha !== 0) isClear = false;
    if (alpha === 255) continue;
    for (let c = i - 3; c < i; c += 1) values[c] = Math.round((values[c] * alpha + background * (255 - alpha)) / 255);
  }
  return isClear;
}

/** A strip as RGB, each value the mean of a square of `n` by `n` pixels, fewer at the right and lower edge. */
function reduced({ upper, nRows, width, values }, n) {
  const [toWidth, toRows] = [Math.ceil(width / n), Math.ceil(nRows / n)];
  const target = new Uint8Array(toWidth * toRows * 3);
  let into = 0;
  for (let y = 0; y < nRows; y += n) {
    const lower = Math.min(y + n, nRows);
    for (let x = 0; x < width; x += n) {
      const right = Math.min(x + n, width);
      let [red, green, blue] = [0, 0, 0];
      for (let row = y; row < lower; row += 1) {
        for (let at = (row * width + x) * 4, end = (row * width + right) * 4; at < end; at += 4) {
          red += values[at];
          green += values[at + 1];
          blue += values[at + 2];
        }
      }
      const share = 1 / ((lower - y) * (right - x));
      target[into++] = red * share + 0.5;
      target[into++] = green * share + 0.5;
      target[into++] = blue * share + 0.5;
    }
  }
  return { upper: upper / n, nRows: toRows, values: target };
}

/** Which values each result is made of, and their weights as whole numbers: Pillow's precompute_coeffs. */
export function weightsOf(nIn, nOut) {
  const scale = nIn / nOut;
  const support = Math.max(scale, 1);
  const narrowing = 1 / support;
  return Array.from({ length: nOut }, (_, place) => {
    const center = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(nIn, Math.trunc(center + support + 0.5));
    const shares = Array.from({ length: end - start }, (__, i) => Math.max(0, 1 - Math.abs((i + start - center + 0.5) * narrowing)));
    const sum = shares.reduce((total, one) => total + one, 0);
    return { start, weights: Int32Array.from(shares, (one) => Math.trunc(0.5 + (one / sum) * (1 << PRECISION_BITS))) };
  });
}

/** Resamples one line of RGB: `step` values lie between neighbours in the source, `stride` in the target. */
function resample(lines, source, { from, step, target, into, stride }) {
  for (const { start, weights } of lines) {
    let red = 1 << (PRECISION_BITS - 1);
    let [green, blue] = [red, red];
    let at = from + start * step;
    for (let i = 0; i < weights.length; i += 1, at += step) {
      const weight = weights[i];
      red += source[at] * weight;
      green += source[at + 1] * weight;
      blue += source[at + 2] * weight;
    }
    target[into] = Math.min(255, red >> PRECISION_BITS);
    target[into + 1] = Math.min(255, green >> PRECISION_BITS);
    target[into + 2] = Math.min(255, blue >> PRECISION_BITS);
    into += stride;
  }
}

function tall(narrow, width, height, toHeight) {
  const down = weightsOf(height, toHeight);
  const target = new Uint8Array(toHeight * width * 3);
  for (let x = 0; x < width; x += 1) resample(down, narrow, { from: x * 3, step: width * 3, target, into: x * 3, stride: width * 3 });
  return target;
}

function placed(values, [width, height], sizePx, background) {
  if (width === sizePx && height === sizePx) return values;
  const square = new Uint8Array(sizePx * sizePx * 3).fill(background);
  const [left, upper] = [Math.floor((sizePx - width) / 2), Math.floor((sizePx - height) / 2)];
  for (let y = 0; y < height; y += 1) square.set(values.subarray(y * width * 3, (y + 1) * width * 3), ((upper + y) * sizePx + left) * 3);
  return square;
}

function shapeWithin(width, height, side) {
  const longer = Math.max(width, height);
  return [width, height].map((one) => Math.max(1, rounded((one * side) / longer)));
}

/** To the nearest whole number, and from the middle to the even one, as Python rounds. */
function rounded(value) {
  const lower = Math.floor(value);
  if (value - lower !== 0.5) return Math.round(value);
  return lower % 2 === 0 ? lower : lower + 1;
}

function middleOf(width, height) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), upper: Math.floor((height - side) / 2), width: side, height: side };
}
