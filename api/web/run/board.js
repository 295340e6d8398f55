// Sections that change while somebody reads them: each is drawn anew only if what it shows has
// changed, keeps how far it was scrolled, and stands still while the focus is in it, or in a dialog
// that gives it back.

import { h, set } from "../dom.js";

export class Board {
  constructor() {
    this.places = new Map();
  }

  // Where the section of this name stands.
  place(name) {
    if (!this.places.has(name)) this.places.set(name, { element: h("div", { class: "part" }), shown: null });
    return this.places.get(name).element;
  }

  // `draw` makes the section of `data`; `last`: nothing will come after it.
  show(name, data, draw, last = false) {
    const element = this.place(name);
    const known = this.places.get(name);
    const shown = JSON.stringify(data ?? null);
    const read = element.contains(document.activeElement) || document.querySelector("dialog[open]");
    if (known.shown === shown || (read && !last)) return;
    known.shown = shown;
    const before = element.querySelector("[tabindex]");
    const [top, left] = [before?.scrollTop ?? 0, before?.scrollLeft ?? 0];
    set(element, draw(data));
    const after = element.querySelector("[tabindex]");
    if (after) [after.scrollTop, after.scrollLeft] = [top, left];
  }
}
