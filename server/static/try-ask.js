// Asks about one photo, and says in words why there is no answer.

import { goneOf } from "./folder.js";
import { say } from "./messages.js";
import { mayWorkLater } from "./retrying.js";

/** Resolves to {article}, which has the answer, or to {reason, mayTryAgain}. */
export async function ask(form, path, file) {
  const body = new FormData();
  body.append("photos", file, path);
  let response, page;
  const [gone] = await goneOf([{ file }]);
  if (gone) return { reason: say("photoGone"), mayTryAgain: false };
  try {
    response = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "try.js", Accept: "text/html" } });
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return { reason: say("serverSilent"), mayTryAgain: true };
  }
  const article = response.ok ? page.querySelector("article") : null;
  if (!article) {
    const reason = page.querySelector(".error-page .lead")?.textContent ?? say("serverCouldNot");
    return { reason, mayTryAgain: mayWorkLater(response.status) };
  }
  enhance(article);
  return { article };
}

/** Shows what needs a script, and hides what stands in for it. */
export function enhance(within) {
  for (const element of within.querySelectorAll("[data-plain]")) element.hidden = true;
  for (const element of within.querySelectorAll("[data-enhanced]")) element.hidden = false;
}
