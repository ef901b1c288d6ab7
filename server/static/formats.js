// The formats of a download: says how large it will be with what is ticked. It works without this.

function sizeInWords(nBytes) {
  let amount = nBytes / 1000;
  const units = ["kB", "MB", "GB"];
  while (amount >= 999.5 && units.length > 1) {
    amount /= 1000;
    units.shift();
  }
  return `${amount >= 99.5 ? amount.toFixed(0) : amount.toFixed(1)} ${units[0]}`;
}

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
