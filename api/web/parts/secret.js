// Something that is shown once: a key or a secret, with a button that copies it.

import { h } from "../dom.js";
import { open } from "./dialog.js";
import { done } from "./notice.js";

export function showOnce(title, words, secret) {
  const box = h("input", { type: "text", readonly: true, value: secret, "aria-label": title, class: "secret" });
  box.addEventListener("focus", () => box.select());
  const copy = h("button", {
    type: "button",
    class: "primary",
    onclick: async () => {
      box.select();
      try {
        await navigator.clipboard.writeText(secret);
        done("Copied.");
      } catch {
        document.execCommand("copy"); // pages that are not served over TLS have no clipboard
        done("Copied, or selected for you to copy.");
      }
    },
  }, "Copy");
  const shown = open(title, h(
    "div",
    { class: "body" },
    h("p", null, words),
    box,
    h("div", { class: "actions" }, copy, h("button", { type: "button", onclick: () => shown.close() }, "I have kept it")),
  ));
  return shown.closed;
}
