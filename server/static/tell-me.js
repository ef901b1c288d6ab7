// The button that asks the browser for a notification at the end of a run, for a page that stays open in a tab.

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
    const wanted = "This browser will tell you, as long as this page stays open in a tab.";
    find("tell-me-state").textContent = this.#isWanted ? wanted : obstacleInWords();
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
  if (!window.isSecureContext) return "Browsers show notifications only for pages with a safe address (https or localhost); this page has none.";
  if (!("Notification" in window)) return "This browser cannot show notifications from web pages.";
  if (Notification.permission === "denied") return "Notifications are not allowed for this page. Your browser's settings for it can allow them.";
  return "";
}
