// The photos of a class: all of a page are ticked at once, and Shift ticks a row of them. Ticking works without this.

import { say } from "./messages.js";

const form = document.getElementById("photos-form");
const bar = document.getElementById("tick-bar");
let last = null;

const boxes = () => [...form.querySelectorAll(".photo-grid input[name=files]")];

function showNumber() {
  document.getElementById("n-ticked").textContent = say("ticked", { n: boxes().filter((box) => box.checked).length });
}

/** All boxes from one to another, both among them, whichever comes first on the page. */
function between(one, other) {
  const all = boxes();
  const [first, second] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
  return all.slice(first, second + 1);
}

function tickAll(checked) {
  for (const box of boxes()) box.checked = checked;
  showNumber();
}

if (form && bar) {
  bar.hidden = false;
  document.getElementById("tick-all").addEventListener("click", () => tickAll(true));
  document.getElementById("tick-none").addEventListener("click", () => tickAll(false));
  form.addEventListener("click", (event) => {
    if (event.target.name !== "files") return; // also Space clicks the box; a click on the name comes here as one on it
    if (event.shiftKey && last) for (const box of between(last, event.target)) box.checked = event.target.checked;
    last = event.target;
    showNumber();
  });
  // With Shift, a browser would mark the names of the photos and open a window; and a click beside a box does not hand Shift on.
  form.addEventListener("mousedown", (event) => event.shiftKey && event.target.closest(".photo-grid") && event.preventDefault());
  form.addEventListener("click", (event) => {
    const box = event.target.closest(".photo-grid li")?.querySelector("input");
    if (!event.shiftKey || !box || event.target === box) return;
    event.preventDefault();
    box.focus();
    box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }));
  }, true);
  window.addEventListener("pageshow", showNumber); // going back, a browser ticks what was ticked
}
