// Looking through sorted photos: each choice is saved at once, and the keyboard goes from photo to photo.

import { listenForFiles, visible } from "./drop-files.js";
import { say } from "./messages.js";
import { enhance } from "./try-ask.js";
import { Sorter } from "./try-sort.js";

const form = document.getElementById("verdicts");
const error = document.getElementById("sorting-error");
const chosen = (card) => card.querySelector("input:checked, select");

/** Sends what is chosen for a photo. One after the other, so that the figures that come back are in their order. */
let saving = Promise.resolve();
function save(card) {
  const control = chosen(card);
  if (!control) return;
  const { name, value } = control;
  saving = saving.then(() => send(card, name, value));
}

async function send(card, name, value) {
  const body = new FormData();
  for (const hidden of form.querySelectorAll("input[type=hidden]")) body.append(hidden.name, hidden.value);
  body.append(name, value);
  let figures = null;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "sorting.js" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    figures = response.ok ? page.getElementById("figures") : null;
  } catch {
    figures = null; // the connection was lost
  }
  error.hidden = figures !== null;
  error.textContent = figures ? "" : say("verdictNotSaved");
  if (!figures) return;
  put(figures);
  card.querySelector(".sorted-state").textContent = say(value === card.dataset.answer ? "lookedAt" : "correctedNow");
}

/** The figures as they are now. What is read out stays the same element: a new one would not be. */
function put(figures) {
  const shown = document.getElementById("figures");
  for (const part of ["progress", ".filters", ".by-class table"]) {
    const [now, then] = [figures.querySelector(part), shown.querySelector(part)];
    if (now && then) then.replaceWith(now);
  }
  shown.querySelector("#looked").textContent = figures.querySelector("#looked").textContent;
}

function next(card) {
  const following = card.nextElementSibling;
  const control = following ? chosen(following) : document.getElementById("all-right");
  control?.focus();
  following?.scrollIntoView({ block: "nearest" });
}

if (form) {
  form.addEventListener("click", (event) => {
    if (event.target.type === "radio") save(event.target.closest("[data-photo]")); // also arrows click; and so does one more click
  });
  form.addEventListener("change", (event) => event.target.matches("select") && save(event.target.closest("[data-photo]")));
  form.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-photo]");
    if (event.key !== "Enter" || !card) return;
    event.preventDefault(); // else the whole page would be sent
    save(card);
    next(card);
  });
}

const more = document.getElementById("more-form");
enhance(document);
const sorter = new Sorter(more, document.getElementById("sending"));
const [photos, folder] = [document.getElementById("more-input"), document.getElementById("more-folder-input")];
document.getElementById("more-photos").addEventListener("click", () => photos.click());
document.getElementById("more-folder").addEventListener("click", () => folder.click());
listenForFiles(more, [photos, folder], {
  onFiles: (files) => visible(files).length > 0 && sorter.begin(visible(files)),
  onProblem: (sentence) => {
    error.textContent = sentence;
    error.hidden = false;
  },
});
