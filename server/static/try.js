// The page on which a model is tried: drop, paste, choose or take photos; a few are shown, many make a table.

import { filesFromDrop, filesFromInput } from "./folder.js";
import { Batch } from "./try-batch.js";
import { Camera } from "./try-camera.js";
import { Card } from "./try-card.js";

const MOST_SHOWN = 12;

class TryPage {
  #waiting = Promise.resolve();

  constructor(form) {
    this.form = form;
    this.find = (id) => document.getElementById(id);
    this.batch = new Batch(form, this.find("batch"));
    this.camera = new Camera(this.find("camera"), this.find("use-camera"), this.find("camera-note"), (file) => this.take([{ path: file.name, file }]));
    enhance(document);
    this.#listen();
  }

  #listen() {
    const [photos, folder] = [this.find("photos-input"), this.find("try-folder-input")];
    folder.disabled = false;
    this.find("choose-photos").addEventListener("click", () => photos.click());
    this.find("choose-photo-folder").addEventListener("click", () => folder.click());
    for (const input of [photos, folder]) {
      input.addEventListener("change", () => {
        this.take(filesFromInput(input.files));
        input.value = ""; // so that the same photo can be chosen once more
      });
    }
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.form.classList.add("dragging");
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget ?? this.form.classList.remove("dragging"));
    document.addEventListener("drop", async (event) => {
      event.preventDefault();
      this.form.classList.remove("dragging");
      try {
        this.take(await filesFromDrop(event.dataTransfer));
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        this.#complain("Your browser could not read this folder. Try “Choose a folder” instead.");
      }
    });
    document.addEventListener("paste", (event) => {
      const files = Array.from(event.clipboardData.files);
      if (files.length > 0) this.take(files.map((file) => ({ path: file.name || "pasted.png", file })));
      else if (!event.target.closest("input, textarea")) this.#complain("There is no picture in what you pasted. Copy a picture first, then press Ctrl+V.");
    });
  }

  /** Photos as {path, file}. They are answered in the order in which they came. */
  take(files) {
    this.find("try-error").hidden = true;
    const photos = files.filter(({ path }) => !path.split("/").at(-1).startsWith("."));
    if (photos.length === 0) return this.#complain("There is no photo in this.");
    if (photos.length > MOST_SHOWN) return this.batch.begin(photos);
    this.#waiting = photos.reduce((before, photo) => before.then(() => this.#ask(photo)), this.#waiting);
    return this.#waiting;
  }

  async #ask({ path, file }) {
    this.find("try-status").textContent = `Looking at ${path}…`;
    const form = new FormData();
    form.append("photos", file, path);
    let response;
    try {
      response = await fetch(this.form.action, { method: "POST", body: form, headers: { "X-Requested-With": "try.js", Accept: "text/html" } });
    } catch {
      return this.#complain("The server does not answer. Try again when the connection is back.");
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok) return this.#complain(page.querySelector(".error-page .lead")?.textContent ?? "The server could not answer. Try again.");
    const article = page.querySelector("article");
    enhance(article);
    this.find("answers-title").hidden = false;
    this.find("answers").prepend(article);
    if (article.querySelector(".feedback")) new Card(article, file, path, this.form.dataset);
    const words = article.querySelector(".answer-label, .answer-refused");
    this.find("try-status").textContent = `${path}: ${words.textContent.replace(/\s+/g, " ").trim()}`;
  }

  #complain(sentence) {
    this.find("try-error").textContent = sentence;
    this.find("try-error").hidden = false;
  }
}

/** Shows what needs a script, and hides what stands in for it. */
function enhance(within) {
  for (const element of within.querySelectorAll("[data-plain]")) element.hidden = true;
  for (const element of within.querySelectorAll("[data-enhanced]")) element.hidden = false;
}

const form = document.getElementById("try-form");
if (form) new TryPage(form);
