// Modal dialogs: the browser keeps the focus inside and gives it back at the end.

import { h, unique } from "../dom.js";

// Shows `content` under a heading; `close` removes it again. Resolves when it is closed.
export function open(title, content, { wide = false } = {}) {
  const id = unique("dialog");
  const before = document.activeElement;
  const closing = h("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog.close() }, "×");
  const dialog = h(
    "dialog",
    { "aria-labelledby": id, class: wide ? "wide" : null },
    h("header", null, h("h2", { id }, title), closing),
    content,
  );
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve();
    });
  });
  dialog.showModal();
  const first = dialog.querySelector("[autofocus], input, select, textarea, .actions button");
  (first ?? closing).focus();
  return { dialog, closed, close: () => dialog.close() };
}

// Whether the user agrees to something that cannot be taken back.
export function confirm(title, words, action) {
  let agreed = false;
  const actions = h(
    "div",
    { class: "actions" },
    h("button", { type: "button", onclick: () => shown.close() }, "Cancel"),
    h("button", {
      type: "button",
      class: "danger",
      onclick: () => {
        agreed = true;
        shown.close();
      },
    }, action),
  );
  const shown = open(title, h("div", { class: "body" }, h("p", null, words), actions));
  return shown.closed.then(() => agreed);
}
