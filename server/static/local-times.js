// Times of day as the reader's own clock shows them. Without a script they are UTC, and the page says so.

const OF_DAY = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function showLocalTimes() {
  for (const time of document.querySelectorAll("time.of-day")) time.textContent = OF_DAY.format(new Date(time.dateTime));
  for (const note of document.querySelectorAll("[data-utc]")) note.hidden = true;
}
