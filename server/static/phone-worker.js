// The service worker of a phone page: answers for the page's own files when the server cannot be reached. The server puts
// the line in front that names them: `const KEPT = {cache, family, page, files}`.

addEventListener("install", (event) => event.waitUntil(keepMissing().then(() => skipWaiting())));

addEventListener("activate", (event) => event.waitUntil(forgetOlder().then(() => clients.claim())));

addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== "GET") return;
  if (path === KEPT.page) event.respondWith(newest(event.request));
  else if (KEPT.files.includes(path)) event.respondWith(kept(event.request));
});

/** The model is there already: the page has kept it while it loaded it. */
async function keepMissing() {
  const cache = await caches.open(KEPT.cache);
  const there = await Promise.all([KEPT.page, ...KEPT.files].map(async (path) => [path, await cache.match(path)]));
  await cache.addAll(there.filter(([, found]) => !found).map(([path]) => path));
}

async function forget() {
  await caches.delete(KEPT.cache);
  await registration.unregister();
}

async function forgetOlder() {
  const older = (await caches.keys()).filter((name) => name.startsWith(KEPT.family) && name !== KEPT.cache);
  await Promise.all(older.map((name) => caches.delete(name)));
}

/**
 * The page itself from the server, so that a newer one is seen; as it was kept where nobody answers. What stands in it may
 * change, such as the threshold; one that is made of other files is left to the worker that keeps these. A page that is no
 * longer there, such as that of a link which was taken back, is not kept any longer.
 */
async function newest(request) {
  try {
    const response = await fetch(request);
    if (response.status === 404) await forget();
    const copy = response.clone();
    if (response.ok && (await response.clone().text()).includes(KEPT.cache)) await (await caches.open(KEPT.cache)).put(KEPT.page, copy);
    return response;
  } catch {
    return kept(request);
  }
}

async function kept(request) {
  const cache = await caches.open(KEPT.cache);
  return (await cache.match(request.url)) ?? fetch(request);
}
