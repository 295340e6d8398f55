// Labelled fields, and forms that say what is wrong beside them.

import { h, set, unique } from "../dom.js";

// One field: `control` gets the label, and `hint` below it.
export function field(label, control, hint) {
  const id = control.id || unique("field");
  control.id = id;
  const parts = [h("label", { for: id }, label), control];
  if (hint) {
    const described = unique("hint");
    control.setAttribute("aria-describedby", described);
    parts.push(h("p", { class: "hint", id: described }, hint));
  }
  return h("div", { class: "field" }, parts);
}

export function input(name, attributes) {
  return h("input", { type: "text", name, autocomplete: "off", ...attributes });
}

export function textarea(name, attributes, text = "") {
  const area = h("textarea", { name, rows: 3, ...attributes });
  area.value = text;
  return area;
}

// choices: [[value, words]]
export function select(name, choices, chosen, attributes) {
  const box = h("select", { name, ...attributes }, choices.map(([value, words]) => h("option", { value }, words)));
  if (chosen !== undefined && chosen !== null) box.value = chosen;
  return box;
}

export function checkbox(name, words, { checked = false, value = "on", hint, ...more } = {}) {
  const box = h("input", { type: "checkbox", name, value, checked, ...more });
  return h("label", { class: "choice" }, box, h("span", null, words, hint ? h("small", null, hint) : null));
}

// A form whose errors stand above its buttons. `submit` gets the form's data; what it throws is
// shown, and while it works the button is off.
export function form({ action, submit, cancel, danger = false, attributes }, ...fields) {
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
  const element = h(
    "form",
    {
      class: "body",
      ...attributes,
      onsubmit: async (event) => {
        event.preventDefault();
        if (button.disabled) return;
        set(problem);
        button.disabled = true;
        button.setAttribute("aria-busy", "true");
        try {
          await submit(new FormData(element), element);
        } catch (error) {
          if (error.name !== "AbortError") set(problem, error.message);
        } finally {
          button.disabled = false;
          button.removeAttribute("aria-busy");
        }
      },
    },
    fields,
    problem,
    h("div", { class: "actions" }, cancel ? h("button", { type: "button", onclick: cancel }, "Cancel") : null, button),
  );
  return element;
}

export function number(data, name) {
  return Number(data.get(name));
}
