// The formats of a download: says how large it will be with what is ticked. It works without this.

import { sizeInWords } from "./sizes.js";

function showSize() {
  const form = document.getElementById("choose-formats");
  if (!form) return;
  const ticked = form.querySelectorAll("input[name=format]:checked:enabled");
  const nBytes = [...ticked].reduce((sum, box) => sum + Number(box.dataset.nBytes), Number(form.dataset.nBytes));
  document.getElementById("download-size").textContent = sizeInWords(nBytes);
}

document.addEventListener("change", (event) => event.target.name === "format" && showSize());
document.addEventListener("htmx:afterSettle", showSize);
window.addEventListener("pageshow", showSize); // going back, a browser ticks what was ticked
