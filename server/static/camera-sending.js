// Sends the photos of the camera page on the way of every upload, class by class, and has them checked.

import { say } from "./messages.js";
import { Sender } from "./sender.js";

/**
 * Sends what has not arrived of `kinds` to the data set of this id, or to a new one, and has it checked. May be called again
 * after a failure. `onDataset` is called with the id once it is known, `onProgress` with how many photos have arrived of how
 * many, `onNote` with a sentence while it waits. Throws what `Sender` throws.
 */
export async function sendPhotos(kinds, { datasetId, onDataset, onProgress, onNote }) {
  const waiting = kinds.filter(({ unsent }) => unsent.length > 0);
  const n = waiting.reduce((sum, { unsent }) => sum + unsent.length, 0);
  let arrived = 0;
  const senderOf = (files, label) => new Sender(files, { label, onChange: (some) => onProgress(arrived + some.files, n), onNote });
  const asking = senderOf([], "");
  if (!datasetId) {
    const names = waiting.map(({ label }) => label).join(", ");
    datasetId = (await asking.request("/api/v1/datasets", { name: names })).id;
    onDataset(datasetId); // known also after a failure, so that there is never a second one
  }
  const address = `/api/v1/datasets/${datasetId}`;
  for (const kind of waiting) {
    const shots = kind.unsent;
    const sender = senderOf(shots.map(({ file }) => ({ path: file.name, file })), kind.label);
    await sender.sendMissing(address);
    kind.markSent(shots);
    arrived += shots.length;
  }
  onProgress(arrived, n);
  onNote(say("everythingArrived"));
  await asking.request(`${address}/check`, {});
}
