// Makes the columns of a table sortable by buttons in their heads; the choice outlives the rows.

const STATES = ["running", "complete", "pruned", "failed"];

let chosen = null; // {key, direction: 1 | -1}, by the user

const VALUES = {
  number: (row) => Number(row.dataset.number),
  score: (row) => Number(row.dataset.score),
  took: (row) => Number(row.dataset.took),
  state: (row) => STATES.indexOf(row.dataset.state),
};

export function setUpSorting(table) {
  for (const head of table.querySelectorAll("th[data-sort]")) {
    if (head.querySelector("button")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isSame = chosen?.key === head.dataset.sort;
      chosen = { key: head.dataset.sort, direction: isSame ? -chosen.direction : -1 };
      sortRows(table);
    });
  }
  sortRows(table);
}

// In the order that the user has chosen, if he has.
export function sortRows(table) {
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const isChosen = head.dataset.sort === chosen?.key;
    if (isChosen) head.setAttribute("aria-sort", chosen.direction > 0 ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  if (!chosen) return;
  const value = VALUES[chosen.key];
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => chosen.direction * (value(a) - value(b)) || value(b) - value(a));
  table.tBodies[0].append(...rows);
}
