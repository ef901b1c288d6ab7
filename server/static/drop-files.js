// Files that are dropped anywhere on a page, or chosen with one of its inputs.

import { filesFromDrop, filesFromInput } from "./folder.js";
import { say } from "./messages.js";

/**
 * Hands out what is dropped or chosen. `form` is marked while something is dragged; `onFiles` is called with {path, file}s,
 * `onProblem` with a sentence.
 */
export function listenForFiles(form, inputs, { onFiles, onProblem }) {
  for (const input of inputs) {
    input.disabled = false;
    input.addEventListener("change", () => {
      const files = filesFromInput(input.files);
      input.value = ""; // so that the same photos can be chosen once more
      onFiles(files);
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? form.classList.remove("dragging"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    form.classList.remove("dragging");
    try {
      onFiles(await filesFromDrop(event.dataTransfer));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      onProblem(say("folderUnreadable"));
    }
  });
}

/** Without what a system hides. */
export function visible(files) {
  return files.filter(({ path }) => !path.split("/").at(-1).startsWith("."));
}
