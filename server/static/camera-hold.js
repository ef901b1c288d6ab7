// A button that does something again and again while it is held, with a mouse, a finger or a key.

const EVERY_MS = 200;
const MOST = 100; // in one go: something may lie on the key

/**
 * `onStart` is called when the button goes down, `onTick` at once and then five times a second, `onStop` in the end. Where
 * `isPressedOnce()`, one press starts and another one stops. Returns a function that stops.
 */
export function whileHeld(button, { onStart, onTick, onStop, isPressedOnce }) {
  let timer = null;
  let wasHandled = false; // the click that follows a press is not another one

  const start = () => {
    if (timer !== null) return;
    let n = 0;
    const tick = () => (n++ < MOST ? onTick() : stop());
    button.classList.add("held");
    onStart();
    timer = setInterval(tick, EVERY_MS);
    tick();
  };
  const stop = () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    button.classList.remove("held");
    onStop();
  };
  const press = () => (timer !== null ? stop() : start());
  const release = () => isPressedOnce() || stop();

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    wasHandled = true;
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(kind, release);
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault(); // else the page scrolls
    if (!event.repeat) press();
  });
  button.addEventListener("keyup", (event) => [" ", "Enter"].includes(event.key) && release());
  button.addEventListener("blur", stop);
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is no question
  button.addEventListener("click", () => {
    // Of a screen reader or a voice, which press neither a key nor a pointer: one photo.
    if (!wasHandled) press(), release();
    wasHandled = false;
  });
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  return stop;
}
