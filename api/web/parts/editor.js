// A text area for scripts: over its text, in the same place, lies the text in colours.

import { h, set } from "../dom.js";
import { pieces } from "./highlight.js";

const INDENT = "  ";

// { element, area, text, problems }: `text` can be set; `problems` marks lines with
// [{ line, message, severity }].
export function editor({ label, text = "", onchange = () => {}, describedby }) {
  const area = h("textarea", {
    class: "code",
    "aria-label": label,
    "aria-describedby": describedby,
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    wrap: "off",
    rows: 22,
  });
  const colours = h("pre", { "aria-hidden": "true", class: "colours" });
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const element = h("div", { class: "editor" }, gutter, h("div", { class: "sheet" }, colours, area));
  let marks = new Map();
  let asked = 0;

  function paint() {
    asked = 0;
    const value = area.value;
    set(colours, pieces(value).map(([kind, words]) => (kind ? h("span", { class: kind }, words) : words)), "\n");
    const lines = value.split("\n").length;
    const numbers = [];
    for (let line = 1; line <= lines; line++) {
      const mark = marks.get(line);
      numbers.push(h("div", mark ? { class: mark.severity, title: mark.message } : null, line));
    }
    set(gutter, numbers);
    follow();
  }

  function follow() {
    colours.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    gutter.scrollTop = area.scrollTop;
  }

  function repaint() {
    if (!asked) asked = requestAnimationFrame(paint);
  }

  // Through the browser's own editing, so that undo knows of it.
  function insert(words) {
    if (!document.execCommand("insertText", false, words)) area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
  }

  area.addEventListener("input", () => {
    repaint();
    onchange(area.value);
  });
  area.addEventListener("scroll", follow);
  // Tab leaves the text, as everywhere; these indent.
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const before = area.value.slice(0, area.selectionStart);
      const line = before.slice(before.lastIndexOf("\n") + 1);
      const margin = /^\s*/.exec(line)[0] + (/[{([]\s*$/.test(line) ? INDENT : "");
      event.preventDefault();
      insert(`\n${margin}`);
    } else if (event.key === "]" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      insert(INDENT);
    }
  });

  area.value = text;
  paint();
  return {
    element,
    area,
    get text() {
      return area.value;
    },
    set text(value) {
      area.value = value;
      area.scrollTop = 0;
      paint();
    },
    problems(found) {
      marks = new Map();
      for (const one of found) {
        if (one.line > 0 && !(marks.get(one.line)?.severity === "error")) marks.set(one.line, one);
      }
      area.setAttribute("aria-invalid", String(found.some((one) => one.severity === "error")));
      paint();
    },
    // Put the cursor there, and the line into sight. Both count from 1.
    goTo(line, column) {
      const lines = area.value.split("\n");
      const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      const at = start + Math.min(Math.max(0, column - 1), lines[line - 1]?.length ?? 0);
      area.focus();
      area.setSelectionRange(at, at);
      area.scrollTop = (area.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 8);
    },
  };
}
