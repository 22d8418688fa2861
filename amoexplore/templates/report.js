"use strict";

// More rows than these take a browser long to lay out: the others come when they are asked for.
const MANY = 2000;

// Thousands are apart as elsewhere on the page.
const format = count => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");

const number = text => Number(text.replace(",", "."));

const rules = {
  contains: (cell, wanted) => cell.textContent.toLowerCase().includes(wanted.toLowerCase()),
  is: (cell, wanted) => cell.textContent === wanted,
  from: (cell, wanted) => number(cell.textContent) >= number(wanted),
  most: (cell, wanted) => number(cell.textContent) <= number(wanted),
};

// What a column is sorted by; NaN stands for what is missing.
const keys = {
  text: cell => cell.classList.contains("na") ? NaN : cell.textContent,
  number: cell => number(cell.textContent),
  rank: cell => Number(cell.dataset.rank ?? NaN),
};

const alphabet = new Intl.Collator(undefined, {numeric: true});
const orders = {text: alphabet.compare, number: (one, other) => one - other, rank: (one, other) => one - other};

function explore(table, filters, count, nothing, more) {
  const rows = [...table.tBodies[0].rows];
  const controls = [...filters.querySelectorAll("[data-rule]")];

  function show(most = MANY) {
    const set = controls.filter(control => control.value.trim() && control.validity.valid);
    const found = rows.filter(row => set.every(
      ({value, dataset}) => rules[dataset.rule](row.cells[dataset.column], value.trim())));
    const shown = found.slice(0, most);
    const rest = found.length - shown.length;
    const fragment = document.createDocumentFragment();
    for (const row of shown) fragment.append(row);
    table.tBodies[0].replaceChildren(fragment);
    count.textContent = `${format(found.length)} of ${format(rows.length)} widgets`
      + (rest ? `, the first ${format(shown.length)} shown` : "");
    nothing.hidden = found.length > 0;
    more.hidden = rest === 0;
  }

  function sort(header) {
    const direction = header.ariaSort === "ascending" ? "descending" : "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    const key = keys[header.dataset.kind], order = orders[header.dataset.kind];
    const keyed = rows.map(row => [key(row.cells[header.cellIndex]), row]);
    keyed.sort(([one], [other]) =>
      Number.isNaN(one) || Number.isNaN(other) ? Number.isNaN(one) - Number.isNaN(other) : sign * order(one, other));
    keyed.forEach(([, row], place) => { rows[place] = row; });
    for (const each of header.parentNode.cells) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    show();
  }

  for (const header of table.tHead.querySelectorAll("[data-kind]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(header));
    header.append(button);
  }
  filters.addEventListener("input", () => show());
  filters.addEventListener("submit", event => event.preventDefault());
  filters.querySelector("button").addEventListener("click", () => { filters.reset(); show(); });
  more.addEventListener("click", () => show(Infinity));
  filters.hidden = false;
  show();
}

// A long table that is laid out while it comes in takes a browser more than a minute.
document.documentElement.classList.add("waits");
document.addEventListener("DOMContentLoaded", () => {
  try {
    explore(...["table", "filters", "count", "nothing", "more"].map(id => document.getElementById(id)));
  } finally {
    document.documentElement.classList.remove("waits");
  }
});
