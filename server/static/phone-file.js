// What the bytes of a photo say before a browser decodes it, and the same photo without its colour profile: predict.py takes
// the numbers as they are, and not every browser can be told to.

const KINDS = [
  ["jpeg", [0xff, 0xd8, 0xff]],
  ["png", [0x89, 0x50, 0x4e, 0x47]],
  ["gif", [0x47, 0x49, 0x46, 0x38]],
  ["bmp", [0x42, 0x4d]],
  ["tiff", [0x49, 0x49, 0x2a, 0x00]],
  ["tiff", [0x4d, 0x4d, 0x00, 0x2a]],
  ["webp", [0x52, 0x49, 0x46, 0x46]],
];
const START_OF_SCAN = 0xda;
const END_OF_JPEG = 0xd9;
const PROFILE_SEGMENT = 0xe2;
const PROFILE_CHUNKS = ["iCCP", "sRGB", "gAMA", "cHRM", "cICP"];
const HAS_PROFILE = 0x20; // in the first byte of the chunk VP8X of a WebP

/** "jpeg", "png", "gif", "bmp", "tiff" or "webp", whatever the name says; undefined of anything else. */
export function kindOf(bytes) {
  const found = KINDS.find(([, start]) => start.every((byte, i) => bytes[i] === byte))?.[0];
  return found === "webp" && wordAt(bytes, 8) !== "WEBP" ? undefined : found;
}

/** Whether a JPEG has the four inks of a print instead of three colours. */
export function isPrint(bytes) {
  const frame = [...segmentsOf(bytes)].find(({ marker }) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));
  return frame !== undefined && bytes[frame.at + 9] === 4;
}

/** Whether the end of a photo is missing. Some browsers show it nevertheless, with a part of it made up. */
export function isCutOff(kind, bytes) {
  if (kind === "jpeg") return !hasEnd(bytes);
  if (kind === "webp") return numberAt(bytes, 4, true) + 8 > bytes.length;
  return kind === "png" && ![...chunksOf(bytes)].some(({ name }) => name === "IEND");
}

/** The parts of a photo, in order, that are not about the meaning of its colours. */
export function withoutProfile(kind, bytes) {
  const parts = { jpeg: segmentsOf, png: chunksOf, webp: webpChunksOf }[kind];
  if (!parts) return [bytes];
  const left = [];
  let from = 0;
  for (const part of parts(bytes)) {
    if (!isProfile(kind, part, bytes)) continue;
    left.push(bytes.subarray(from, part.at));
    from = part.end;
  }
  left.push(bytes.subarray(from));
  return kind === "webp" && from > 0 ? asWebp(left) : left;
}

function isProfile(kind, { marker, name, at }, bytes) {
  if (kind === "jpeg") return marker === PROFILE_SEGMENT && wordAt(bytes, at + 4, 11) === "ICC_PROFILE";
  return kind === "png" ? PROFILE_CHUNKS.includes(name) : name === "ICCP";
}

/** A WebP is to say how long it is, and that it has no profile any more. */
function asWebp(parts) {
  const head = parts[0].slice();
  if (wordAt(head, 12) === "VP8X") head[20] &= ~HAS_PROFILE;
  const n = parts.reduce((sum, part) => sum + part.length, 0);
  new DataView(head.buffer).setUint32(4, n - 8, true);
  return [head, ...parts.slice(1)];
}

/** The segments of a JPEG up to its first scan. */
function* segmentsOf(bytes) {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    yield { marker: bytes[at + 1], at, end };
    if (bytes[at + 1] === START_OF_SCAN) return;
    at = end;
  }
}

/** Whether a JPEG has its mark of the end after a scan; that of a small picture in its head is none. */
function hasEnd(bytes) {
  const scan = [...segmentsOf(bytes)].find(({ marker }) => marker === START_OF_SCAN);
  let at = scan ? bytes.indexOf(0xff, scan.at + 2) : -1;
  while (at !== -1 && bytes[at + 1] !== END_OF_JPEG) at = bytes.indexOf(0xff, at + 1);
  return at !== -1;
}

/** The chunks of a PNG that are there as a whole. */
function* chunksOf(bytes) {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + numberAt(bytes, at, false);
    if (end <= bytes.length) yield { name: wordAt(bytes, at + 4), at, end };
    at = end;
  }
}

function* webpChunksOf(bytes) {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = numberAt(bytes, at + 4, true);
    const end = at + 8 + size + (size % 2);
    yield { name: wordAt(bytes, at), at, end };
    at = end;
  }
}

function wordAt(bytes, at, length = 4) {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function numberAt(bytes, at, isLittleEndian) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, isLittleEndian);
}
