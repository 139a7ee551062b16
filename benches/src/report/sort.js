"use strict";
// Sorts by the column of the heading that was pressed; pressed again, the other way round. What is not
// known comes last either way.
for (const button of document.querySelectorAll("#numbers th button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const table = heading.closest("table");
    const up = heading.getAttribute("aria-sort") !== "ascending";
    const value = (row) => {
      const cell = row.cells[heading.cellIndex];
      const known = cell.dataset.v ?? cell.textContent.trim();
      if (known === "" || known === "–") return null;
      return cell.dataset.v === undefined ? known : Number(known);
    };
    const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
    const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return up ? compare(a, b) : compare(b, a);
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
    for (const other of heading.parentElement.cells) other.setAttribute("aria-sort", "none");
    const order = up ? "ascending" : "descending";
    heading.setAttribute("aria-sort", order);
    const name = button.title || button.textContent;
    table.querySelector(".status").textContent = `Sorted by ${name}, ${order}.`;
  });
}
