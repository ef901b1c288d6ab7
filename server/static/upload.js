// Turns the plain upload form into drag and drop with progress. On the page of a data set, files may also be dropped onto
// an element with data-drop-class="the class", or chosen with a button that has data-add-to-class="the class".

import { commonRoot, filesFromDrop, filesFromInput, mayHoldClasses } from "./folder.js";
import { say } from "./messages.js";
import { Stopped } from "./retrying.js";
import { Sender, SendError } from "./sender.js";
import { sizeInWords } from "./sizes.js";

const LAST_SHARE = 0.99; // the rest is for the answer: nothing shows 100 % before it is done

class UploadForm {
  constructor(form) {
    this.form = form;
    this.datasetId = form.dataset.dataset;
    this.sender = null;
    this.find = (id) => form.querySelector(`#${id}`);
    form.querySelectorAll("[data-plain]").forEach((element) => (element.hidden = true));
    this.#showChooser();
    this.#listen();
  }

  #listen() {
    const [folder, zip] = [this.find("folder-input"), this.find("zip-input")];
    this.find("choose-folder").addEventListener("click", () => folder.click());
    this.find("choose-zip").addEventListener("click", () => zip.click());
    for (const input of [folder, zip]) {
      const take = () => {
        if (input.files.length > 0) this.begin(filesFromInput(input.files));
        input.value = ""; // so that the same folder can be chosen once more
      };
      input.addEventListener("change", take);
      take(); // what was chosen before this script was there
    }
    this.find("upload-stop").addEventListener("click", () => this.sender.stop());
    this.find("upload-retry").addEventListener("click", () => this.#send());
    this.find("upload-restart").addEventListener("click", () => this.#showChooser());
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  get busy() {
    return this.sender !== null;
  }

  async drop(transfer, label = "") {
    try {
      await this.begin(await filesFromDrop(transfer), label);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#complain(say("folderUnreadable"));
    }
  }

  /** Lets the user choose files for one class. */
  choose(label) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => this.begin(filesFromInput(input.files), label));
    input.click();
  }

  /** `label`: the class that the files are for, whatever their names say. */
  async begin(files, label = "") {
    this.#open();
    const problem = this.#problemWith(files);
    if (problem) return this.#complain(problem);
    this.name = commonRoot(files) || say("unnamedPhotos");
    this.sender = new Sender(files, {
      label,
      onChange: (arrived) => this.#showArrived(arrived),
      onNote: (note) => this.#say(note),
    });
    await this.#send();
  }

  /** What can be said without sending anything, else an empty text. */
  #problemWith(files) {
    const limits = this.form.dataset;
    const [maxBytes, maxRequestBytes] = [Number(limits.maxBytes), Number(limits.maxRequestBytes)];
    const seen = files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
    const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    if (seen.length === 0) return say("folderEmpty");
    if (files.length > Number(limits.maxFiles)) {
      return say("tooManyFiles", { n: files.length, most: Number(limits.maxFiles) });
    }
    if (bytes > maxBytes) {
      return say("tooManyBytes", { size: sizeInWords(bytes), most: sizeInWords(maxBytes) });
    }
    const huge = files.find(({ file }) => file.size > maxRequestBytes);
    if (huge) return say("fileTooLarge", { path: huge.path, most: sizeInWords(maxRequestBytes) });
    if (!this.datasetId && !mayHoldClasses(seen)) return say("onlyOneFolder");
    return "";
  }

  async #send() {
    this.#showPanel();
    const { sender } = this;
    sender.start();
    try {
      const isNew = !this.datasetId;
      if (isNew) {
        const dataset = await sender.request("/api/v1/datasets", { name: this.name }, { stoppable: false });
        this.datasetId = dataset.id; // known also after a stop, so that there is never a second one
      }
      const address = `/api/v1/datasets/${this.datasetId}`;
      await (isNew ? sender.send(address) : sender.sendMissing(address));
      for (const id of ["upload-status", "upload-said"]) put(this.find(id), say("everythingArrived"));
      await sender.request(`${address}/check`, {});
      this.sender = null;
      window.location.assign(`/datasets/${this.datasetId}`);
    } catch (error) {
      if (error instanceof Stopped) this.#showBroken(say("uploadStopped"), true);
      else if (error instanceof SendError) this.#showBroken(error.message, error.again);
      else throw error;
    }
  }

  /** Files for a class are dropped elsewhere on the page: the form may be folded away. */
  #open() {
    const folded = this.form.closest("details");
    if (folded) folded.open = true;
  }

  #showChooser() {
    this.sender = null;
    this.datasetId = this.form.dataset.dataset;
    this.find("upload-panel").hidden = true;
    this.find("drop-zone").hidden = false;
  }

  #complain(problem) {
    const box = this.find("choose-error");
    box.textContent = problem;
    box.hidden = false;
  }

  #showPanel() {
    for (const id of ["drop-zone", "choose-error", "upload-error", "upload-retry", "upload-restart"]) this.find(id).hidden = true;
    for (const id of ["upload-panel", "upload-stop"]) this.find(id).hidden = false;
    const title = this.find("upload-title");
    const { label } = this.sender;
    title.textContent = label ? say("addingToClass", { label }) : say("uploading", { name: this.name });
    title.focus({ preventScroll: true });
  }

  #showArrived({ files, bytes }) {
    const { nFiles, nBytes } = this.sender;
    const share = nBytes > 0 ? bytes / nBytes : 0;
    this.find("upload-progress").value = Math.min(LAST_SHARE, share);
    const quarters = Math.floor(4 * share);
    if (quarters < 4) put(this.find("upload-said"), quarters > 0 ? say("percentUploaded", { n: 25 * quarters }) : "");
    const [arrived, all] = [sizeInWords(bytes), sizeInWords(nBytes)];
    this.find("upload-status").textContent = say("arrived", { files, n: nFiles, bytes: arrived, all });
  }

  #say(note) {
    put(this.find("upload-note"), note);
  }

  #showBroken(message, again) {
    this.#say("");
    const box = this.find("upload-error");
    box.textContent = message;
    box.hidden = false;
    this.find("upload-stop").hidden = true;
    this.find("upload-retry").hidden = !again;
    this.find("upload-restart").hidden = false;
  }
}

/** The same text once more would be read out once more. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let uploadForm = null;

function enhance() {
  document.querySelectorAll("[data-needs-script]").forEach((element) => (element.hidden = false));
  const form = document.getElementById("photo-form");
  if (form && uploadForm?.form !== form) uploadForm = new UploadForm(form);
}

let classUnder = null; // the class that would get the files if they were let go now

function pointAt(element) {
  classUnder?.classList.remove("drop-here");
  classUnder = element;
  classUnder?.classList.add("drop-here");
}

function classAt(event) {
  return uploadForm?.datasetId && event.target instanceof Element ? event.target.closest("[data-drop-class]") : null;
}

// A file that misses the zone would otherwise replace the page.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
window.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  document.body.classList.add("dragging");
  pointAt(classAt(event));
});
window.addEventListener("dragleave", (event) => {
  if (event.relatedTarget !== null) return;
  document.body.classList.remove("dragging");
  pointAt(null);
});
window.addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  pointAt(null);
  if (!uploadForm || uploadForm.busy || !event.dataTransfer.types.includes("Files")) return;
  uploadForm.drop(event.dataTransfer, classAt(event)?.dataset.dropClass);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-to-class]");
  if (button && uploadForm && !uploadForm.busy) uploadForm.choose(button.dataset.addToClass);
});
window.addEventListener("beforeunload", (event) => {
  if (uploadForm?.busy) event.preventDefault();
});
document.addEventListener("htmx:load", enhance);
enhance();
