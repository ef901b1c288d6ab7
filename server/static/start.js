// The form that starts a run. It works without this; with it, fields that belong together follow each other.

document.addEventListener("input", (event) => {
  const { target } = event;
  if (target.dataset.selects) document.getElementById(target.dataset.selects).checked = true;
  else if (target.name === "budget" && target.value !== "other") forgetOwnTime();
  else if (target.name === "aim") for (const id of ["max_model_mb", "max_latency_ms"]) document.getElementById(id).value = ""; // it brings its own
});

function forgetOwnTime() {
  document.getElementById("minutes").value = "";
  document.getElementById("expected-of-own").textContent = ""; // htmx put it there
}

// "My own time" needs its minutes; without this the server says so, on a page of its own.
document.addEventListener("input", ({ target }) => target.closest("#start-form") && requireMinutes());

function requireMinutes() {
  const minutes = document.getElementById("minutes");
  if (minutes) minutes.required = document.getElementById("budget-other").checked;
}

// A browser cannot point at a mistake in a part that is closed, and would refuse the form without a word.
document.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);

document.addEventListener("change", (event) => event.target.id === "tuner" && offerSamplers());
document.addEventListener("htmx:afterSettle", offerSamplers); // the form comes when the photos have been checked
offerSamplers();
requireMinutes(); // a browser keeps what was chosen when the page is loaded again

/** Each tuner has its own samplers; one that the chosen tuner does not have is taken back. */
function offerSamplers() {
  const tuner = document.getElementById("tuner");
  for (const group of document.querySelectorAll("#sampler [data-of]")) {
    group.disabled = group.dataset.of !== tuner.value;
    if (group.disabled && group.querySelector(":checked")) document.getElementById("sampler").value = "";
  }
}
