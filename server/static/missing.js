// Which files the server does not have yet: an upload that broke off goes on with these.

const FILES_A_QUESTION = 2000;
const MAX_HASHED_BYTES = 32_000_000;
const HASHED_AT_ONCE = 4;

/** `ask` is given [{name, n_bytes, sha256?}] and answers with the places of those that are missing. */
export async function missingOf(files, ask) {
  const missing = [];
  for (let start = 0; start < files.length; start += FILES_A_QUESTION) {
    const some = files.slice(start, start + FILES_A_QUESTION);
    const places = new Set(await ask(some.map(described)));
    missing.push(...some.filter((_, place) => places.has(place)));
    missing.push(...(await changedOf(some.filter((_, place) => !places.has(place)), ask)));
  }
  return missing;
}

/** The name under which a form sends a file: a form has no line breaks in a name. */
export function nameInForm(path) {
  return path.replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

// A photo that was changed may have kept its name and size. The contents tell, where looking at them costs little; over
// plain HTTP from another machine browsers do not compute hashes.
async function changedOf(files, ask) {
  const small = window.crypto.subtle ? files.filter(({ file }) => file.size <= MAX_HASHED_BYTES) : [];
  if (small.length === 0) return [];
  const question = [];
  for (let start = 0; start < small.length; start += HASHED_AT_ONCE) {
    question.push(...(await Promise.all(small.slice(start, start + HASHED_AT_ONCE).map(hashed))));
  }
  const places = new Set(await ask(question));
  return small.filter((_, place) => places.has(place));
}

function described({ path, file }) {
  return { name: nameInForm(path), n_bytes: file.size };
}

async function hashed(item) {
  const digest = await window.crypto.subtle.digest("SHA-256", await item.file.arrayBuffer());
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...described(item), sha256 };
}
