// The two charts of a live run. uPlot is a classic script, loaded before this module runs.

import { say } from "./messages.js";

const HEIGHT_PX = 220;
const percent = (share) => (share == null ? "" : `${(share * 100).toFixed(1)} %`);

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function timeLabel(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds % 60);
  return minutes ? `${minutes}:${String(rest).padStart(2, "0")} min` : `${rest} s`;
}

const BELOW = { size: 36, space: 90 };
const SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200]; // whole ones in words

function axis(values, more = {}) {
  const [ink, grid] = [colour("--pico-muted-color"), colour("--pico-muted-border-color")];
  return { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, values, size: 68, ...more };
}

// Draws into `box`, and again when its width or the colour scheme changes. `options` is asked each time.
export class Chart {
  #box;
  #options;
  #data = null;
  #plot = null;
  #observer = new ResizeObserver(() => this.#resize());

  constructor(box, options) {
    this.#box = box;
    this.#options = options;
    this.#observer.observe(box);
  }

  set(data) {
    this.#data = data;
    if (this.#plot) this.#plot.setData(data);
    else this.redraw();
  }

  redraw() {
    this.#plot?.destroy();
    this.#plot = null;
    const width = this.#box.clientWidth;
    if (!this.#data || !width) return;
    this.#plot = new window.uPlot({ width, height: HEIGHT_PX, ...this.#options() }, this.#data, this.#box);
  }

  close() {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #resize() {
    const width = this.#box.clientWidth;
    if (this.#plot && width) this.#plot.setSize({ width, height: HEIGHT_PX });
    else this.redraw();
  }
}

const shares = { range: (_plot, low, high) => [Math.max(0, low - 0.02), Math.min(1.005, high + 0.02)] };

export function courseOptions() {
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: shares },
    axes: [axis((_plot, ticks) => ticks.map(timeLabel), { ...BELOW, incrs: SECONDS }), axis((_plot, ticks) => ticks.map(percent))],
    series: [
      {},
      {
        label: say("chartBest"),
        stroke: colour("--pico-primary"),
        width: 2.5,
        paths: window.uPlot.paths.stepped({ align: 1 }),
        points: { show: false },
      },
      {
        label: say("chartTry"),
        stroke: colour("--pico-muted-color"),
        paths: () => null,
        points: { show: true, size: 5, fill: colour("--pico-card-background-color") },
      },
    ],
  };
}

export function epochOptions() {
  return {
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: shares, loss: {} },
    axes: [
      axis((_plot, ticks) => ticks, { ...BELOW, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }),
      axis((_plot, ticks) => ticks.map(percent)),
      axis((_plot, ticks) => ticks.map((tick) => tick.toFixed(2)), { side: 1, scale: "loss", grid: { show: false } }),
    ],
    series: [
      { label: "epoch" },
      { label: say("chartScore"), stroke: colour("--pico-primary"), width: 2.5 },
      { label: say("chartLoss"), scale: "loss", stroke: colour("--pico-muted-color"), width: 2, dash: [6, 4] },
    ],
  };
}

// Rows for uPlot: seconds, the best score until then, the score of the try that ended then.
export function courseData(tries, bests, nowS) {
  const moments = [...tries.map(([, t]) => t), ...bests.map(([t]) => t), nowS].sort((a, b) => a - b);
  const times = [...new Set(moments)];
  const scores = new Map(tries.map(([, t, score]) => [t, score]));
  const steps = [...bests].sort((a, b) => a[0] - b[0]);
  let best = null;
  const line = times.map((t) => {
    while (steps.length && steps[0][0] <= t) best = steps.shift()[1];
    return best;
  });
  return [times, line, times.map((t) => scores.get(t) ?? null)];
}
