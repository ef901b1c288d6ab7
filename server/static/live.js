// Around htmx, which replaces parts of the page each second: what must not be replaced is kept here.

const announcer = document.getElementById("announcer");
const connectionLost = document.getElementById("connection-lost");

let furthest = 0;
let announced = body()?.dataset.announce;

function body() {
  return document.querySelector("#run, #dataset");
}

function settle() {
  const progress = document.getElementById("run-progress");
  if (progress) {
    furthest = Math.max(furthest, progress.value); // a run that was continued after a breakdown has less behind it
    progress.value = furthest;
  }
  const titled = document.querySelector("#figures [data-title]") ?? body();
  if (titled?.dataset.title) document.title = titled.dataset.title;
  const announcement = body()?.dataset.announce;
  if (announcement !== announced) announcer.textContent = announced = announcement;
}

document.addEventListener("htmx:afterSettle", settle);
document.addEventListener("htmx:afterRequest", (event) => (connectionLost.hidden = event.detail.successful));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 404) window.location.reload(); // it was deleted; the page says so
});

settle();
