// The picture of an answer, opened in the viewer. The server has not kept it: the large picture is made from the file.

import { viewer } from "./viewer.js";

const LONGEST_PX = 1600;
const photos = new WeakMap(); // by the article of the answer

/** `card`: knows the file, its path, and its heat map. */
export function makeEnlargeable(article, card) {
  const image = article.querySelector(".answer-photo");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  image.replaceWith(button);
  button.append(image);
  photos.set(article, new AnsweredPhoto(article, card, { button, image }));
  button.addEventListener("click", () => {
    const all = [...document.querySelectorAll("#answers article")].map((one) => photos.get(one)).filter(Boolean);
    viewer.open(all, all.indexOf(photos.get(article)));
  });
}

/** For the viewer; see `LinkedPhoto` there. */
class AnsweredPhoto {
  box = null;
  #large = null;

  constructor(article, card, { button, image }) {
    Object.assign(this, { article, card, opener: button, thumbnail: image.src, alt: image.alt });
    this.name = card.path.split("/").at(-1);
  }

  async words() {
    const words = document.createElement("div");
    words.className = "photo-words photo-said";
    const kept = [".answer-label", ".answer-words table", ".answer-words table + p"];
    const parts = kept.map((selector) => this.article.querySelector(selector)).filter(Boolean);
    const heat = this.article.querySelector(".heat-toggle").cloneNode(true);
    heat.className = "secondary outline small heat-switch";
    heat.setAttribute("aria-pressed", "false");
    const note = document.createElement("p");
    note.className = "note heat-note";
    note.setAttribute("role", "status");
    words.append(...parts.map((part) => part.cloneNode(true)), heat, note);
    return words;
  }

  large() {
    this.#large ??= redrawn(this.card.file).catch(() => ""); // the browser cannot read it: the small picture stays
    return this.#large;
  }

  async heat() {
    return (await this.card.heat()).heat;
  }
}

/** Resolves to a data address, since the policy of the page allows pictures from nowhere else. */
async function redrawn(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.9);
}
