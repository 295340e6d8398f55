// Elements. Whatever is not an element becomes a text node: no text is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

// h("button", { class: "quiet", onclick: f, disabled: false }, "Stop")
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Replace all children.
export function set(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "indeterminate") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Node) element.append(child);
    else if (child !== undefined && child !== null && child !== false) {
      element.append(document.createTextNode(String(child)));
    }
  }
}

let counted = 0;

// An id that no other element has, for labels and descriptions.
export function unique(word) {
  counted += 1;
  return `${word}-${counted}`;
}

// Calls `work` once no call has come for a while.
export function debounced(milliseconds, work) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds, ...values);
  };
}

// Calls `work` now and then again and again, each time so long after it has returned; not while
// nobody sees the page. Ends with the signal.
export function repeated(milliseconds, signal, work) {
  const step = async () => {
    if (signal.aborted) return;
    if (!document.hidden) await work();
    if (!signal.aborted) setTimeout(step, milliseconds);
  };
  step();
}
