// What a page is made of: its heading, sections, numbers, and what stands where there is nothing.

import { h, unique } from "../dom.js";

export function heading(title, { lead, actions = [], back } = {}) {
  return h(
    "header",
    { class: "heading" },
    h(
      "div",
      null,
      back ? h("a", { class: "back", href: back.href }, `← ${back.words}`) : null,
      h("h1", { tabindex: "-1" }, title),
      lead ? h("p", { class: "lead" }, lead) : null,
    ),
    actions.length ? h("div", { class: "actions" }, actions) : null,
  );
}

export function section(title, ...content) {
  const id = unique("section");
  return h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, title), content);
}

// numbers: [[words, value, note]]
export function tiles(numbers) {
  return h("dl", { class: "tiles" }, numbers.map(([words, value, note]) =>
    h("div", { class: "tile" }, h("dt", null, words), h("dd", null, value, note ? h("small", null, note) : null))));
}

export function empty(title, words, ...actions) {
  return h("div", { class: "empty" }, h("h2", null, title), h("p", null, words), actions.length ? h("div", { class: "actions" }, actions) : null);
}

export function loading() {
  return h("div", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), "Loading …");
}

export function problem(error, again) {
  const words = error.status === 404 ? "It does not exist, or it belongs to another organisation." : error.message;
  const title = error.status === 404 ? "Not found" : "This could not be loaded";
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h1", { tabindex: "-1" }, title),
    h("p", null, words),
    h("div", { class: "actions" }, again ? h("button", { type: "button", onclick: again }, "Try again") : null, h("a", { class: "button", href: "/runs" }, "All runs")),
  );
}
