// The same words as `size_in_words` of automl/text/names.py; a test compares them.

import { say } from "./messages.js";

// Ties go to the even digit, as in Python; toFixed takes the larger one.
const oneDigit = (amount) => (amount % 1 === 0.25 ? amount - 0.05 : amount).toFixed(1);
const noDigit = (amount) => (amount % 2 === 0.5 ? amount - 0.5 : amount).toFixed(0);

/** "12.3 MB"; decimal units, as file managers show them. */
export function sizeInWords(nBytes) {
  if (nBytes < 1000) return say("bytes", { n: nBytes });
  let amount = nBytes / 1000;
  const units = ["kB", "MB", "GB"];
  while (amount >= 999.5 && units.length > 1) {
    amount /= 1000;
    units.shift();
  }
  return `${amount >= 99.5 ? noDigit(amount) : oneDigit(amount)} ${units[0]}`;
}
