// The same words as automl/text/durations.py and `RunClock.about_left_s`; a test compares them.

import { say } from "./messages.js";

// Ties go to the even number, as in Python.
function round(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

export function durationInWords(seconds) {
  const total = Math.max(0, round(seconds));
  let hours = Math.floor(total / 3600);
  let minutes = Math.floor((total % 3600) / 60);
  let rest = total % 60;
  if (total >= 600) {
    [minutes, rest] = [round((total % 3600) / 60), 0];
    if (minutes === 60) [hours, minutes] = [hours + 1, 0];
  }
  const parts = [[hours, "hours"], [minutes, "minutes"], [rest, "seconds"]].filter(([n]) => n);
  return parts.map(([n, unit]) => say(unit, { n })).join(" ") || say("seconds", { n: 0 });
}

const ABOUT_S = 5;

/** The next five seconds: what is only foreseen is not told to the second. */
export function aboutInWords(seconds) {
  return durationInWords(ABOUT_S * Math.ceil(Math.max(0, seconds) / ABOUT_S));
}
