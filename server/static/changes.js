// Marks what differs from the run that the start form was filled in from. What the page came with is what that run had.

import { say } from "./messages.js";

const form = document.getElementById("start-form");
const list = document.getElementById("start-changed");
if (form && list) {
  form.addEventListener("input", mark);
  form.addEventListener("change", mark);
  window.addEventListener("pageshow", mark); // a browser that goes back fills in what was there
}

function mark() {
  const changed = new Map();
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden" || field.name === "run_name") continue; // a name is no setting
    const [place, title] = titled(field);
    if (place) changed.set(place, { title, differs: changed.get(place)?.differs || differs(field) });
  }
  for (const [place, { differs }] of changed) place.classList.toggle("changed", differs);
  const titles = [...changed.values()].filter(({ differs }) => differs).map(({ title }) => title);
  list.hidden = !titles.length;
  const text = titles.length ? say("changed", { titles: titles.join("; ") }) : "";
  if (list.textContent !== text) list.textContent = text; // else a screen reader would say it again
}

/** Where the mark goes, and the words for it: those of the legend of a group, else of the label, without its code. */
function titled(field) {
  const group = field.closest("fieldset.boxes, fieldset.choices");
  const place = group ?? field.labels?.[0];
  const words = group ? group.querySelector("legend") : place;
  const texts = [...(words?.childNodes ?? [])].filter((node) => node.nodeType === Node.TEXT_NODE);
  return [place, texts.map((node) => node.data.trim()).join("")];
}

function differs(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const options = [...field.options];
  const before = options.find((option) => option.defaultSelected) ?? options[0];
  return before !== field.options[field.selectedIndex];
}
