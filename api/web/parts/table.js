// Tables that become cards on a phone: each cell knows the words of its column.

import { h } from "../dom.js";

// columns: [{ title, value: (row) => child, number, hidden }]
export function table(caption, columns, rows, { empty = "Nothing yet.", rowHeader = 0, attributes = () => null, compact = false } = {}) {
  if (!rows.length) return h("p", { class: "empty-line" }, empty);
  const head = h(
    "tr",
    null,
    columns.map((column) =>
      h("th", { scope: "col", class: column.number ? "number" : null },
        column.hidden ? h("span", { class: "unseen" }, column.title) : column.title)),
  );
  const body = rows.map((row) =>
    h("tr", attributes(row), columns.map((column, place) => {
      const name = place === rowHeader ? "th" : "td";
      return h(
        name,
        {
          scope: name === "th" ? "row" : null,
          "data-title": column.hidden ? null : column.title,
          class: column.number ? "number" : column.class,
        },
        column.value(row),
      );
    })));
  return h(
    "div",
    { class: compact ? "table compact" : "table", tabindex: "0", role: "group", "aria-label": caption },
    h("table", null, h("caption", { class: "unseen" }, caption), h("thead", null, head), h("tbody", null, body)),
  );
}

// Buttons between the pages of a list that has cursors.
export function pager({ total, shown, page, hasNext, go }) {
  if (page === 0 && !hasNext && total === shown.count) return h("p", { class: "pager" }, total ? `${total.toLocaleString("en")} in all` : "");
  const first = page * shown.limit + (shown.count ? 1 : 0);
  const last = page * shown.limit + shown.count;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    h("span", null, total ? `${first}–${last} of ${total.toLocaleString("en")}` : "None"),
    h("button", { type: "button", disabled: page === 0, onclick: () => go(page - 1) }, "Previous"),
    h("button", { type: "button", disabled: !hasNext, onclick: () => go(page + 1) }, "Next"),
  );
}
