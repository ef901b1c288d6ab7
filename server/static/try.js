// The page on which a model is tried: drop, paste, choose or take photos; a few are shown, many are sorted and kept.

import { listenForFiles, visible } from "./drop-files.js";
import { say } from "./messages.js";
import { enhance } from "./try-ask.js";
import { Camera } from "./try-camera.js";
import { Sorter } from "./try-sort.js";
import { Waiting } from "./try-waiting.js";

const MOST_SHOWN = 12;

class TryPage {
  #turn = Promise.resolve();
  #failed = new Set(); // cards without an answer that may be asked about again

  constructor(form) {
    this.form = form;
    this.find = (id) => document.getElementById(id);
    this.sorter = new Sorter(form, this.find("sending"));
    this.camera = new Camera(form, this.find("camera"), (file) => this.take([{ path: file.name, file }], false));
    enhance(document);
    this.#listen();
  }

  #listen() {
    const [photos, folder] = [this.find("photos-input"), this.find("try-folder-input")];
    this.find("choose-photos").addEventListener("click", () => photos.click());
    this.find("choose-photo-folder").addEventListener("click", () => folder.click());
    listenForFiles(this.form, [photos, folder], {
      onFiles: (files) => this.take(files),
      onProblem: (sentence) => this.#complain(sentence),
    });
    document.addEventListener("paste", (event) => {
      const files = Array.from(event.clipboardData.files);
      if (files.length > 0) this.take(files.map((file) => ({ path: file.name || "pasted.png", file })));
      else if (!event.target.closest("input, textarea")) this.#complain(say("noPicturePasted"));
    });
  }

  /** Photos as {path, file}. They are answered in the order in which they came. `scroll`: to where the answers come. */
  take(files, scroll = true) {
    this.find("try-error").hidden = true;
    const photos = visible(files);
    if (photos.length === 0) return this.#complain(say("noPhotoInThis"));
    if (photos.length > MOST_SHOWN) {
      if (this.form.dataset.sortings) return this.sorter.begin(photos);
      return this.#complain(say("tooManyToAnswer", { most: MOST_SHOWN }));
    }
    const cards = photos.map((photo) => new Waiting(this.find("waiting-card"), photo, () => this.#askAgain()));
    this.find("answers-title").hidden = false;
    this.find("answers").prepend(...cards.map((card) => card.article));
    if (scroll) cards[0].article.scrollIntoView({ block: "nearest" });
    this.#askInTurn(cards);
  }

  #askInTurn(cards) {
    for (const card of cards) {
      card.wait();
      this.#turn = this.#turn.then(() => this.#ask(card));
    }
  }

  async #ask(card) {
    this.find("try-status").textContent = say("lookingAt", { path: card.path });
    const { words, mayTryAgain } = await card.ask(this.form);
    if (mayTryAgain) this.#failed.add(card);
    this.find("try-status").textContent = say("answered", { path: card.path, words });
  }

  // All of them: what kept one from its answer, such as a lost connection, mostly kept the others too.
  #askAgain() {
    const cards = [...this.#failed];
    this.#failed.clear();
    this.#askInTurn(cards);
  }

  #complain(sentence) {
    this.find("try-error").textContent = sentence;
    this.find("try-error").hidden = false;
  }
}

const form = document.getElementById("try-form");
if (form) new TryPage(form);
