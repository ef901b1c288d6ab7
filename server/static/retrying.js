// When a request that failed is worth another try, and how long to wait for that.

export const WAITS_S = [1, 2, 4, 8, 15, 30];
export const WORTH_ANOTHER_TRY = new Set([0, 408, 429, 502, 503, 504]); // 0: no answer at all

/** Whether a user who tries again later may see it work. */
export const mayWorkLater = (status) => WORTH_ANOTHER_TRY.has(status) || status >= 500;

export class Stopped extends Error {}

/** Rejects with `Stopped` as soon as `signal` is aborted. */
export function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Stopped());
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(new Stopped())), { once: true });
  });
}
