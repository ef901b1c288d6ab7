// Shows one photo large, over the page that it was on: opened by a click or by Enter, with its neighbours at the arrow
// keys. What is known of it comes from its own page, which is where the link leads without a script.

import { say } from "./messages.js";
import { enhance } from "./try-ask.js";

const LONGEST_SWIPE_MS = 800;
const SHORTEST_SWIPE_PX = 50;
const RETURN_KEY = "viewer-return"; // where the focus goes once the page is loaded again
const HEADERS = { "X-Requested-With": "viewer.js", Accept: "text/html" };

class Viewer {
  #photos = [];
  #place = 0;
  #hasChanged = false;
  #shows = 0; // the latest of the photos that were asked for

  constructor(dialog) {
    this.dialog = dialog;
    this.find = (name) => document.getElementById(`viewer-${name}`);
    this.picture = this.find("picture");
    this.find("close").addEventListener("click", () => dialog.close());
    this.find("back").addEventListener("click", () => this.#step(-1));
    this.find("on").addEventListener("click", () => this.#step(1));
    this.find("tick").addEventListener("change", () => this.#photo.box.click());
    dialog.addEventListener("close", () => this.#leave());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
    dialog.addEventListener("keydown", (event) => this.#pressed(event));
    dialog.addEventListener("submit", (event) => this.#send(event));
    this.#listenForSwipes(dialog.querySelector(".viewer-stage"));
  }

  get #photo() {
    return this.#photos[this.#place];
  }

  /** `photos`: see `LinkedPhoto`. `focus`: a selector of what gets the focus once it is there. */
  open(photos, place, { showHeat = false, focus = "" } = {}) {
    [this.#photos, this.#place] = [photos, place];
    this.dialog.showModal();
    this.#show({ showHeat, focus });
  }

  #step(by) {
    const place = this.#place + by;
    if (place < 0 || place >= this.#photos.length) return;
    this.#place = place;
    this.#show();
  }

  async #show({ showHeat = false, focus = "" } = {}) {
    const [photo, mine] = [this.#photo, (this.#shows += 1)];
    this.find("title").textContent = photo.name;
    this.find("place").textContent = say("photoPlace", { place: this.#place + 1, all: this.#photos.length });
    this.find("place").hidden = this.#photos.length < 2;
    this.#allowSteps();
    this.find("tick").hidden = !photo.box;
    this.find("tick").querySelector("input").checked = photo.box?.checked ?? false;
    [this.picture.src, this.picture.alt] = [photo.thumbnail, photo.alt];
    this.find("words").replaceChildren();
    this.find("state").textContent = say("looking");
    this.#enlarge(photo, mine);
    const words = await photo.words();
    if (mine !== this.#shows) return;
    this.#fill(words);
    if (showHeat) words?.querySelector(".heat-switch")?.click();
    if (focus) words?.querySelector(focus)?.focus();
  }

  #fill(words) {
    this.find("state").textContent = words ? "" : say("photoSilent");
    this.find("words").replaceChildren(...(words ? [words] : []));
    const photo = this.#photo;
    if (!words) return;
    bindHeat(words, this.picture, {
      plain: async () => (await photo.large()) || photo.thumbnail,
      heat: (button) => photo.heat(button),
    });
  }

  async #enlarge(photo, mine) {
    const large = await photo.large();
    if (large && mine === this.#shows && !isHeatShown(this.dialog)) this.picture.src = large;
    const next = this.#photos[this.#place + 1];
    if (next && mine === this.#shows) next.large(); // so that it is there when it is asked for
  }

  /** A button that leads nowhere keeps the focus: else it would be lost at the last photo. */
  #allowSteps() {
    this.find("back").setAttribute("aria-disabled", String(this.#place === 0));
    this.find("on").setAttribute("aria-disabled", String(this.#place === this.#photos.length - 1));
    for (const name of ["back", "on"]) this.find(name).hidden = this.#photos.length < 2;
  }

  #pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("select, textarea, input:not([type=checkbox])")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.#step(by);
  }

  #listenForSwipes(stage) {
    let start = null;
    stage.addEventListener("touchstart", ({ touches, timeStamp }) => {
      start = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY, at: timeStamp } : null;
    }, { passive: true });
    stage.addEventListener("touchend", ({ changedTouches, timeStamp }) => {
      if (!start || timeStamp - start.at > LONGEST_SWIPE_MS) return;
      const [right, down] = [changedTouches[0].clientX - start.x, changedTouches[0].clientY - start.y];
      if (Math.abs(right) > Math.max(SHORTEST_SWIPE_PX, 2 * Math.abs(down))) this.#step(right < 0 ? 1 : -1);
    });
  }

  /** A correction stays in the viewer: the answer to the form is what is known of the photo now. */
  async #send(event) {
    event.preventDefault();
    const body = new FormData(event.target, event.submitter);
    const mine = this.#shows;
    this.find("state").textContent = say("storing");
    const { words, reason, isOutdated } = await fetchWords(event.target.action, { method: "POST", body });
    if (mine !== this.#shows) return;
    if (!words) {
      if (isOutdated) await this.#lookAgain(mine);
      this.find("state").textContent = reason;
      return;
    }
    this.#hasChanged = true;
    this.#photo.forget();
    this.#fill(words);
    this.find("title").focus(); // the button that was pressed is gone
  }

  /** Somebody has changed the photo meanwhile: shows what is known of it now. */
  async #lookAgain(mine) {
    this.#photo.forget();
    const words = await this.#photo.words();
    if (words && mine === this.#shows) this.#fill(words);
  }

  #leave() {
    this.#shows += 1;
    const link = this.#photo.opener;
    if (this.#hasChanged) {
      sessionStorage.setItem(RETURN_KEY, link.getAttribute("href") ?? "");
      location.reload(); // what the page says of the photo is no longer true
    } else if (link.checkVisibility()) link.focus();
  }
}

/** A photo behind a link of the page. The viewer asks each photo for the same. */
class LinkedPhoto {
  #words = null;
  #large = null;

  constructor(link) {
    this.opener = link;
    const image = link.querySelector("img");
    [this.thumbnail, this.alt] = [image.src, image.alt];
    this.name = image.title.split(/[\\/]/).at(-1);
    this.box = link.closest("li")?.querySelector("input[name=files]") ?? null;
  }

  /** Resolves to what is known of it, or to nothing. */
  async words() {
    this.#words ??= fetchWords(this.opener.href);
    const { words } = await this.#words;
    if (!words) this.#words = null;
    return words;
  }

  forget() {
    this.#words = null;
  }

  /** Resolves to the address of its heat map once it is there, or to nothing. `button`: the switch. */
  heat(button) {
    return loaded(button.dataset.heat);
  }

  /** Resolves to the address of the large picture once it is there, or to nothing. */
  large() {
    const address = new URL(this.opener.href);
    this.#large ??= loaded(`${address.pathname}/picture`);
    return this.#large;
  }
}

async function loaded(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return address;
  } catch {
    return ""; // the thumbnail stays
  }
}

/** Resolves to {words}, an element, or to {reason, isOutdated}. */
async function fetchWords(address, options = {}) {
  try {
    const response = await fetch(address, { ...options, headers: HEADERS });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const words = response.ok ? page.querySelector(".photo-words") : null;
    if (!words) {
      const reason = page.querySelector(".error-page .lead")?.textContent ?? say("photoSilent");
      return { reason, isOutdated: page.querySelector("#conflict") !== null };
    }
    enhance(words);
    return { words };
  } catch {
    return { reason: say("photoSilent") };
  }
}

const isHeatShown = (within) => within.querySelector(".heat-switch")?.getAttribute("aria-pressed") === "true";

/** The switch between a picture and its heat map. `plain` and `heat` resolve to their addresses. */
function bindHeat(words, picture, { plain, heat }) {
  const button = words.querySelector(".heat-switch");
  button?.addEventListener("click", async () => {
    const note = words.querySelector(".heat-note");
    if (button.getAttribute("aria-pressed") === "true") {
      button.setAttribute("aria-pressed", "false");
      [picture.src, note.textContent] = [await plain(), ""];
      return;
    }
    note.textContent = say("looking");
    const address = await heat(button);
    if (!button.isConnected) return; // another photo is shown meanwhile
    note.textContent = address ? say("heatMap") : say("noHeatMap");
    if (!address) return;
    button.setAttribute("aria-pressed", "true");
    picture.src = address;
  });
}

/** The links with whose photos a photo is looked at. */
const rowOf = (link) => [...document.querySelectorAll("a.enlarge")].filter((one) => one.dataset.row === link.dataset.row);

function openFrom(link, options) {
  const links = rowOf(link);
  viewer.open(links.map((one) => new LinkedPhoto(one)), links.indexOf(link), options);
}

const dialog = document.getElementById("viewer");
export const viewer = dialog ? new Viewer(dialog) : null;
if (viewer) {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a tab of its own
    const link = event.target.closest("a.enlarge, a.enlarge-heat, a.enlarge-to-choose");
    const photo = link?.matches(".enlarge") ? link : link?.closest("li, figure")?.querySelector("a.enlarge");
    if (!photo) return;
    event.preventDefault();
    openFrom(photo, { showHeat: link.matches(".enlarge-heat"), focus: link.matches(".enlarge-to-choose") ? "select" : "" });
  });
  const back = sessionStorage.getItem(RETURN_KEY);
  sessionStorage.removeItem(RETURN_KEY);
  if (back) [...document.querySelectorAll("a.enlarge")].find((link) => link.getAttribute("href") === back)?.focus();
}

const page = document.querySelector(".one-photo"); // the page of a photo
if (page) {
  enhance(page);
  const picture = page.querySelector(".one-picture");
  const address = picture.src;
  bindHeat(page, picture, { plain: () => address, heat: (button) => loaded(button.dataset.heat) });
}
