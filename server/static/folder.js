// What was dropped or chosen, as a flat list of {path, file}; `path` is the way to the file inside the folder.

const READ_AT_ONCE = 64;
const ARCHIVE = /\.(zip|tar|tar\.gz|tgz)$/i;
const TABLE = /\.(csv|tsv)$/i;

/** Walks everything that was dropped. Must be called in the drop event itself: the browser empties it afterwards. */
export async function filesFromDrop(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return filesFromInput(transfer.files);
  const found = [];
  const waiting = entries;
  while (waiting.length > 0) {
    const some = waiting.splice(0, READ_AT_ONCE);
    for (const part of await Promise.all(some.map(open))) {
      found.push(...part.files);
      for (const entry of part.entries) waiting.push(entry);
    }
  }
  return found;
}

/** The same from a file input; a folder input says where each file was. */
export function filesFromInput(files) {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Those that can no longer be read: moved, changed or deleted since they were chosen, or on a disk that is gone. */
export async function goneOf(files) {
  const isGone = await Promise.all(files.map(({ file }) => file.slice(0, 1).arrayBuffer().then(() => false, () => true)));
  return files.filter((_, i) => isGone[i]);
}

/** The name of the one folder or archive that holds everything, else nothing. */
export function commonRoot(files) {
  const roots = new Set(files.map(({ path }) => path.split("/")[0]));
  return roots.size === 1 ? [...roots][0].replace(ARCHIVE, "") : "";
}

/** Whether there can be two classes in it: two folders, an archive, a table of labels, or names such as cat1, dog1. */
export function mayHoldClasses(files) {
  if (files.some(({ path }) => ARCHIVE.test(path) || TABLE.test(path))) return true;
  const folders = new Set(files.map(({ path }) => path.split("/").slice(0, -1).join("/")));
  const words = new Set(files.map(({ path }) => path.split("/").at(-1).replace(/\.[^.]*$/, "").replace(/[^\p{L}]/gu, "")));
  return folders.size > 1 || words.size > 1;
}

async function open(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return { files: [{ path: entry.fullPath.replace(/^\//, ""), file }], entries: [] };
  }
  const reader = entry.createReader();
  const entries = [];
  for (;;) {
    // A reader hands out a hundred entries at a time and an empty list at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return { files: [], entries };
    entries.push(...some);
  }
}
