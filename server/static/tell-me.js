// The button that asks the browser for a notification at the end of a run, for a page that stays open in a tab.

import { say } from "./messages.js";

const find = (id) => document.getElementById(id);

export class TellMe {
  #isWanted = sessionStorage.getItem("tell-me") === window.location.pathname;

  /** The button is there only with a script; where the browser would show nothing, it says why. */
  setUp() {
    const button = find("tell-me");
    if (!button) return;
    find("tell-me-box").hidden = false;
    const obstacle = obstacleInWords();
    button.disabled = Boolean(obstacle);
    if (obstacle) find("tell-me-state").textContent = obstacle;
    else button.addEventListener("click", () => this.#change());
    if (!obstacle) this.#show();
  }

  async #change() {
    const isGranted = !this.#isWanted && (await Notification.requestPermission()) === "granted";
    this.#isWanted = isGranted;
    if (isGranted) sessionStorage.setItem("tell-me", window.location.pathname);
    else sessionStorage.removeItem("tell-me");
    this.#show();
  }

  #show() {
    find("tell-me").setAttribute("aria-pressed", String(this.#isWanted));
    find("tell-me-state").textContent = this.#isWanted ? say("willTell") : obstacleInWords();
  }

  /** Once, if the user asked for it. */
  tell(title, text) {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    sessionStorage.removeItem("tell-me");
    if (Notification.permission === "granted") new Notification(title, { body: text });
  }
}

function obstacleInWords() {
  if (!window.isSecureContext) return say("notificationsNeedSafety");
  if (!("Notification" in window)) return say("noNotifications");
  if (Notification.permission === "denied") return say("notificationsRefused");
  return "";
}
