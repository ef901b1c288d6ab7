// A photo that waits for its answer: shown at once from the browser's own copy, then replaced by the answer.

import { say } from "./messages.js";
import { ask } from "./try-ask.js";
import { Card } from "./try-card.js";

const PICTURE_PX = 320; // as large as the picture that comes with the answer, so that nothing jumps
let drawing = Promise.resolve(); // one after the other: a dozen large photos at once would fill a phone's memory

export class Waiting {
  /** `onTryAgain` is called when the user wants it asked about once more. */
  constructor(template, { path, file }, onTryAgain) {
    Object.assign(this, { path, file });
    this.article = template.content.firstElementChild.cloneNode(true);
    this.find = (name) => this.article.querySelector(`.${name}`);
    this.find("file-name").textContent = path;
    this.find("try-again").addEventListener("click", onTryAgain);
    drawing = drawing.then(() => draw(file, this.find("answer-photo"))).catch(() => {}); // no picture: the answer says so
  }

  wait() {
    this.#show(say("waitingForTurn"), false);
  }

  /** Asks, and shows what came of it. Resolves to {words, mayTryAgain}: what to announce, and whether it may be asked again. */
  async ask(form) {
    this.#show(say("lookingAtIt"), false);
    this.article.classList.add("answer-looking");
    const { article, reason, mayTryAgain } = await ask(form, this.path, this.file);
    this.article.classList.remove("answer-looking");
    if (!article) {
      this.#show("", mayTryAgain, reason);
      return { words: reason, mayTryAgain };
    }
    const hadFocus = this.article.contains(document.activeElement);
    this.article.replaceWith(article);
    if (hadFocus) focusOn(article);
    if (article.querySelector(".feedback")) new Card(article, this.file, this.path, form.dataset);
    return { words: article.querySelector(".answer-label, .answer-refused").textContent.replace(/\s+/g, " ").trim(), mayTryAgain: false };
  }

  #show(state, mayTryAgain, reason = "") {
    const button = this.find("try-again");
    if (document.activeElement === button) focusOn(this.article); // it is about to go
    button.hidden = !mayTryAgain;
    this.find("answer-state").textContent = state;
    this.find("answer-refused").textContent = reason && say("refused", { reason });
  }
}

function focusOn(article) {
  article.tabIndex = -1;
  article.focus();
}

async function draw(file, canvas) {
  if (!canvas.isConnected) return; // answered meanwhile
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, PICTURE_PX / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}
