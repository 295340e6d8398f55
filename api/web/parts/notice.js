// Short messages in the corner, read out by screen readers.

import { h } from "../dom.js";

const SECONDS = 6;

export const region = h("div", { class: "notices", role: "status", "aria-live": "polite" });
const spoken = h("div", { class: "unseen", role: "status", "aria-live": "polite" });

export function mount(parent) {
  parent.append(region, spoken);
}

// Said to screen readers only.
export function announce(words) {
  spoken.textContent = words;
}

export function done(words) {
  show(words, "good", SECONDS);
}

export function failed(error) {
  if (error?.name === "AbortError" || error?.code === "invalid_auth") return; // that leads to sign in
  show(error instanceof Error ? error.message : String(error), "bad", SECONDS * 2);
}

function show(words, kind, seconds) {
  const close = h("button", { type: "button", class: "icon", "aria-label": "Dismiss", onclick: () => box.remove() }, "×");
  const box = h("div", { class: `notice ${kind}` }, h("span", null, words), close);
  region.append(box);
  while (region.children.length > 3) region.firstChild.remove();
  let timer = setTimeout(() => box.remove(), seconds * 1000);
  // Who reads or aims at it is not hurried.
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("focusin", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => {
    timer = setTimeout(() => box.remove(), 2000);
  });
}
