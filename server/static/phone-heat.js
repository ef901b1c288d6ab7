// What a model looked at, in the browser: the class-activation map of its answer, as `automl.serving.heat` computes it, but
// without typical photos, which are not on this device. Behind hidden layers it is Grad-CAM.

const HEAT_PX = 28;
const BRIGHTEST = 0.98; // share of places: lone spikes must not darken everything else
const LARGEST_SPIKE = 4;
const MOST_HIDDEN = 0.65;
const SMALLEST_NORM = 1e-12;
const INFERNO = "0000040b0724210c4a3d096557106e71196e8a226aa32c61bc3754d04545e35933f1711ff98c0afcaa0ff9c932f2e865fcffa4";

/** How much each place of the square speaks for class `said`: Float32Array (HEAT_PX * HEAT_PX), 0-1. */
export function heatOf(heads, maps, said) {
  const pooled = maps.map(meansOf);
  const weights = pooled.map((values) => new Float32Array(values.length));
  for (const { taps, isUnit, layers } of heads) {
    const factors = taps.map((tap) => (isUnit ? factorOf(pooled[tap]) : 1));
    const seen = taps.flatMap((tap, i) => Array.from(pooled[tap], (value) => value * factors[i]));
    const gradient = gradientOf(layers, seen, said);
    let at = 0;
    taps.forEach((tap, i) => {
      for (let channel = 0; channel < weights[tap].length; channel += 1) weights[tap][channel] += gradient[at++] * factors[i];
    });
  }
  const heat = new Float32Array(HEAT_PX * HEAT_PX);
  maps.forEach((map, tap) => addResized(heat, weighted(map, weights[tap]), map.shape));
  return shown(heat);
}

/**
 * Draws the heat over the picture in `canvas`, which turns gray. `aspect`: how the photo became the square that the
 * model saw; beside the square there is no heat.
 */
export function drawHeat(canvas, heat, aspect) {
  const { width, height } = canvas;
  const side = aspect === "whole" ? Math.max(width, height) : Math.min(width, height);
  const [wide, high] = aspect === "squeeze" ? [width, height] : [side, side];
  const smooth = Object.assign(document.createElement("canvas"), { width, height });
  smooth.getContext("2d").drawImage(asCanvas(heat), (width - wide) / 2, (height - high) / 2, wide, high);
  const shares = smooth.getContext("2d").getImageData(0, 0, width, height).data;
  const context = canvas.getContext("2d");
  const picture = context.getImageData(0, 0, width, height);
  for (let i = 0; i < shares.length; i += 4) {
    const gray = (picture.data[i] + picture.data[i + 1] + picture.data[i + 2]) / 3;
    const colour = COLOURS[shares[i]];
    for (let c = 0; c < 3; c += 1) picture.data[i + c] = (1 - MOST_HIDDEN) * gray + MOST_HIDDEN * colour[c];
  }
  context.putImageData(picture, 0, 0);
}

/** The mean of each channel of a map. */
function meansOf({ values, shape: [, nChannels, height, width] }) {
  const size = height * width;
  return Float32Array.from({ length: nChannels }, (_, channel) => {
    let sum = 0;
    for (let i = channel * size; i < (channel + 1) * size; i += 1) sum += values[i];
    return sum / size;
  });
}

function factorOf(pooled) {
  const norm = Math.hypot(...pooled);
  return norm > SMALLEST_NORM ? 1 / norm : 0;
}

/** The gradient of the logit of class `said` near `features`: ReLU layers are linear piece by piece. */
function gradientOf(layers, features, said) {
  const active = [];
  let values = features;
  for (const { kernel, bias } of layers.slice(0, -1)) {
    values = Array.from(bias, (start, to) => values.reduce((sum, value, from) => sum + value * kernel[from * bias.length + to], start));
    active.push(values.map((value) => value > 0));
    values = values.map((value) => Math.max(value, 0));
  }
  const last = layers.at(-1);
  const nClasses = last.bias.length;
  let gradient = Array.from({ length: last.kernel.length / nClasses }, (_, from) => last.kernel[from * nClasses + said]);
  for (const { kernel, bias } of layers.slice(0, -1).reverse()) {
    const isActive = active.pop();
    const passed = gradient.map((share, i) => (isActive[i] ? share : 0));
    gradient = Array.from({ length: kernel.length / bias.length }, (_, from) => passed.reduce((sum, share, to) => sum + share * kernel[from * bias.length + to], 0));
  }
  return gradient;
}

/** The sum of the channels of a map, each times its weight. */
function weighted({ values, shape: [, nChannels, height, width] }, weights) {
  const size = height * width;
  const sum = new Float32Array(size);
  for (let channel = 0; channel < nChannels; channel += 1) {
    for (let i = 0; i < size; i += 1) sum[i] += weights[channel] * values[channel * size + i];
  }
  return sum;
}

/** Adds a map to `heat` in its size; the mean of the map stays. */
function addResized(heat, map, [, , height, width]) {
  const [rows, columns] = [height, width].map(interpolation);
  const narrow = Array.from({ length: height }, (_, y) => columns.map((shares) => shares.reduce((sum, share, x) => sum + share * map[y * width + x], 0)));
  for (let y = 0; y < HEAT_PX; y += 1) {
    for (let x = 0; x < HEAT_PX; x += 1) heat[y * HEAT_PX + x] += rows[y].reduce((sum, share, row) => sum + share * narrow[row][x], 0);
  }
}

/**
 * The shares of `n` values in each of HEAT_PX: the values stand in the middles of equal cells and are joined by a line,
 * which is level beyond the outermost ones; the results are the means of that line.
 */
function interpolation(n) {
  const nPoints = 2 * n;
  return Array.from({ length: HEAT_PX }, (_, cell) => {
    const shares = new Array(n).fill(0);
    for (let point = 0; point < nPoints; point += 1) {
      const place = (cell * nPoints + point + 0.5) / (2 * HEAT_PX) - 0.5;
      const within = Math.min(n - 1, Math.max(0, place));
      const lower = Math.min(n - 1, Math.floor(within));
      shares[lower] += (1 - within + lower) / nPoints;
      if (lower + 1 < n) shares[lower + 1] += (within - lower) / nPoints;
    }
    return shares;
  });
}

/** The heat from 0, where nothing speaks for the class, to 1, its brightest places. */
function shown(heat) {
  const sorted = Float32Array.from(heat, (value) => Math.max(value, 0)).sort();
  const place = BRIGHTEST * (sorted.length - 1);
  const lower = Math.floor(place);
  const percentile = sorted[lower] + (place - lower) * (sorted[Math.min(lower + 1, sorted.length - 1)] - sorted[lower]);
  const bright = Math.max(percentile, sorted.at(-1) / LARGEST_SPIKE) || 1;
  return heat.map((value) => Math.min(Math.max(value, 0) / bright, 1));
}

function asCanvas(heat) {
  const canvas = Object.assign(document.createElement("canvas"), { width: HEAT_PX, height: HEAT_PX });
  const image = new ImageData(HEAT_PX, HEAT_PX);
  heat.forEach((share, i) => image.data.set([share * 255, 0, 0, 255], i * 4));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** 256 colours that grow lighter, from every sixteenth one of Matplotlib's map. */
const COLOURS = (() => {
  const stops = INFERNO.match(/.{6}/g).map((stop) => [0, 2, 4].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const lower = Math.min(stops.length - 2, Math.floor(place));
    return stops[lower].map((value, c) => value + (place - lower) * (stops[lower + 1][c] - value));
  });
})();
