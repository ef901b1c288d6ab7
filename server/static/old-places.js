// Links from before the result had several pages: a place that has moved leads to its page. The server never sees it.

const MOVED = {
  "confusion-title": "mistakes",
  confusion: "mistakes",
  mistakes: "mistakes",
  "mistakes-title": "mistakes",
  suspects: "doubts",
  "suspects-title": "doubts",
  "per-class": "details",
  "pareto-title": "details",
  "plots-title": "details",
  "made-title": "details",
  "settings-title": "details",
  settings: "details",
  tries: "details",
};

function goOn() {
  const place = window.location.hash.slice(1);
  const tabs = document.getElementById("result-tabs");
  const page = Object.hasOwn(MOVED, place) && MOVED[place];
  if (page && tabs && !document.getElementById(place)) window.location.replace(`${tabs.dataset.run}/${page}#${place}`);
}

window.addEventListener("hashchange", goOn);
goOn();
