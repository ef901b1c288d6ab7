// The large parts of the page, ONNX Runtime and the model: from this very file where they are in it, else from the browser's
// cache or from the server, which each visitor asks once. Both are packed by gzip; the model's bytes are sorted before
// that, see server/packed_models.py.

/** The parts by name. `onProgress`: is called with the share that has arrived, 0-1. */
export async function partsOf(page, onProgress) {
  const names = ["wasm", "model"];
  const embedded = names.map((name) => document.getElementById(`part-${name}`));
  const packed = embedded[0] ? embedded.map((one) => bytesIn(one.textContent)) : await fetched(page, names, onProgress);
  const [wasm, planes] = await Promise.all(packed.map(unpacked));
  return { wasm, model: joined(planes) };
}

async function fetched(page, names, onProgress) {
  const cache = await openCache(page.dataset.cache);
  const sizes = names.map((name) => Number(page.dataset[`${name}Packed`]));
  const arrived = names.map(() => 0);
  const all = sizes.reduce((sum, one) => sum + one, 0);
  return Promise.all(
    names.map((name, i) =>
      load(page.dataset[name], cache, (n) => {
        arrived[i] = n;
        onProgress(Math.min(1, arrived.reduce((sum, one) => sum + one, 0) / all));
      })
    )
  );
}

/** Browsers keep pages with a safe address only; null elsewhere. */
async function openCache(name) {
  try {
    return await caches.open(name);
  } catch {
    return null;
  }
}

async function load(url, cache, onBytes) {
  const kept = await cache?.match(url);
  if (kept) return new Uint8Array(await kept.arrayBuffer());
  const response = await fetch(url);
  if (!response.ok) throw new Error(String(response.status));
  const chunks = [];
  let n = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    onBytes((n += value.length));
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  try {
    await cache?.put(url, new Response(bytes));
  } catch {
    // There is no room for it: the page works, but only with its server.
  }
  return bytes;
}

function bytesIn(base64) {
  return Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
}

async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function joined(planes) {
  const nAdded = planes.at(-1);
  const quarter = (planes.length - 1) / 4;
  const bytes = new Uint8Array(quarter * 4);
  for (let plane = 0; plane < 4; plane += 1) {
    for (let i = 0, at = plane * quarter; i < quarter; i += 1) bytes[i * 4 + plane] = planes[at + i];
  }
  return bytes.subarray(0, bytes.length - nAdded);
}
