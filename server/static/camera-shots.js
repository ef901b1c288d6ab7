// Names of the photos that the camera page takes. `automl/labelling/bursts.py` reads from them which ones are one burst.

const RANDOM_BYTES = 4;

/** A name for what is taken while the button is held once, such as "20261201-094500-0f3a9c1e". */
export function newBurst() {
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const bytes = window.crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return `${time}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The name of the photo with this number in a burst; `ending`: with its dot. */
export function nameOf(burst, number, ending = ".jpg") {
  return `camera-${burst}-${String(number).padStart(4, "0")}${ending}`;
}
