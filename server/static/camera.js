// The page that takes photos with the camera. What it takes stays here until it is sent; then the same page trains.

import { Kind } from "./camera-kind.js";
import { sendPhotos } from "./camera-sending.js";
import { Video } from "./camera-video.js";
import { say } from "./messages.js";
import { SendError } from "./sender.js";

const page = document.getElementById("camera-page");
const find = (id) => document.getElementById(id);
const kinds = [];
let datasetId = page.dataset.dataset;
let isSending = false;

const video = new Video(find("camera-video"), {
  onChange: showCamera,
  onNote: (note) => (find("camera-note").textContent = note),
});

function addKind(label, place) {
  const kind = new Kind(label, {
    video,
    isPressedOnce: () => find("press-once").checked,
    onChange: showAll,
    onRemove: removeKind,
  });
  kinds.push(kind);
  place.replaceChildren(kind.element);
  kind.setCamera(video);
  return kind;
}

function removeKind(kind) {
  kinds.splice(kinds.indexOf(kind), 1);
  kind.element.parentElement.remove();
  find("add-kind").focus();
  showAll();
}

async function showCamera() {
  const { isOn } = video;
  find("camera-video").hidden = !isOn;
  for (const id of ["turn-off", "one-press"]) find(id).hidden = !isOn;
  find("turn-on").hidden = isOn;
  for (const kind of kinds) kind.setCamera(video);
  if (!isOn) return void (find("choose-camera").hidden = true);
  const { cameras, chosen } = await video.cameras();
  find("choose-camera").hidden = cameras.length < 2;
  find("cameras").replaceChildren(...cameras.map(({ id, title }) => new Option(title, id, false, id === chosen)));
}

function showAll() {
  const n = kinds.reduce((sum, { unsent }) => sum + unsent.length, 0);
  find("all-photos").textContent = say(n > 0 ? "shotsAll" : "shotsNone", { n });
  find("send").disabled = isSending || n === 0;
  complain("");
}

/** What is wrong with the photos as they are, and where; nothing where they can be sent. */
function problem() {
  const filled = kinds.filter(({ shots }) => shots.length > 0);
  const at = (kind, name, values) => ({ sentence: say(name, values), field: kind.input });
  for (const [index, kind] of filled.entries()) {
    const { label } = kind;
    if (!label) return at(kind, "shotsNameMissing");
    if (/[/\\]/.test(label)) return at(kind, "shotsNameWithSlash");
    const same = filled.slice(0, index).some((other) => other.label.toLowerCase() === label.toLowerCase());
    if (same) return at(kind, "shotsNameTwice", { label });
  }
  if (!page.dataset.dataset && filled.length < 2) return { sentence: say("shotsOneKind"), field: find("add-kind") };
  return null;
}

function complain(sentence) {
  find("camera-problem").textContent = sentence;
  find("camera-problem").hidden = !sentence;
}

async function send() {
  const found = problem();
  if (found) {
    complain(found.sentence);
    found.field.focus();
    return;
  }
  setSending(true);
  try {
    await sendPhotos(kinds, {
      datasetId,
      onDataset: (id) => (datasetId = id),
      onProgress: showArrived,
      onNote: (note) => (find("send-note").textContent = note),
    });
  } catch (error) {
    if (!(error instanceof SendError)) throw error;
    setSending(false);
    complain(say("shotsNotSent", { problem: error.message }));
    return;
  }
  video.stop(); // its light goes out
  window.htmx.ajax("GET", `/datasets/${datasetId}/camera/next`, { target: "#next", swap: "innerHTML" });
}

function setSending(on) {
  isSending = on;
  find("send-progress").hidden = !on;
  showAll();
}

function showArrived(arrived, n) {
  find("send-progress").value = arrived / n;
  find("send-status").textContent = say("shotsArrived", { arrived, n });
}

/** The check is over: its verdict is what to read next, and more photos may follow. */
function showVerdict() {
  const state = find("next").querySelector("[data-state]")?.dataset.state;
  if (!isSending || !state || state === "checking") return;
  setSending(false);
  find("next").querySelector("h2").focus();
}

for (const element of document.querySelectorAll("[data-plain]")) element.hidden = true;
page.hidden = false;
for (const place of find("kinds").children) addKind(place.dataset.label, place);
if (video.isMissing) {
  find("turn-on").disabled = true;
  find("camera-note").textContent = say("shotsCameraUnsafe");
}
find("turn-on").addEventListener("click", () => video.start());
find("turn-off").addEventListener("click", () => (video.stop(), find("turn-on").focus()));
find("cameras").addEventListener("change", (event) => video.start(event.target.value));
find("add-kind").addEventListener("click", () => addKind("", find("kinds").appendChild(document.createElement("li"))).input.focus());
find("send").addEventListener("click", send);
document.addEventListener("htmx:afterSwap", showVerdict);
window.addEventListener("beforeunload", (event) => {
  if (kinds.some(({ unsent }) => unsent.length > 0)) event.preventDefault();
});
