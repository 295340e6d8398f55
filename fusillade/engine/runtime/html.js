// What `response.html(selector)` returns: a Selection, as k6 users know it from jQuery.
"use strict";
(function (fu) {
  const { isPending, isRawText, isVoid, parseHTML, parseSelector, Search } = fu;

  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\u00a0": "&nbsp;" };
  const escaped = (text, pattern) => text.replace(pattern, (letter) => ESCAPES[letter]);

  // What is between the tags of an element, as HTML.
  function innerHTML(element) {
    let text = "";
    const left = element.children.map((child) => [child, element]).reverse();
    while (left.length > 0) {
      const [node, parent] = left.pop();
      if (parent === null) text += node; // an end tag
      else if (typeof node === "string") {
        text += isRawText(parent.name) ? node : escaped(node, /[&<>\u00a0]/g);
      } else {
        text += `<${node.name}`;
        for (const [name, value] of node.attributes ?? []) {
          text += ` ${name}="${escaped(value, /[&"\u00a0]/g)}"`;
        }
        text += ">";
        if (isVoid(node.name)) continue;
        left.push([`</${node.name}>`, null]);
        for (let i = node.children.length - 1; i >= 0; i--) left.push([node.children[i], node]);
      }
    }
    return text;
  }

  function valueOf(element) {
    if (element.name === "textarea") return element.text;
    const value = element.attributes?.get("value");
    return value ?? (element.name === "option" ? element.text.trim() : undefined);
  }

  // Elements of one document, in its order, each once.
  class Selection {
    #all; // the document
    #elements;

    constructor(all, elements) {
      this.#all = all;
      this.#elements = elements;
    }

    #with(elements) {
      return new Selection(this.#all, elements);
    }

    // The elements in the document's order, each once.
    #of(elements, selector) {
      const found = [...new Set(elements)].sort((a, b) => a.order - b.order);
      return this.#with(selector === undefined ? found : matching(found, selector));
    }

    #one(index) {
      const element = this.#elements.at(index);
      return this.#with(element === undefined ? [] : [element]);
    }

    get length() {
      return this.#elements.length;
    }

    size() {
      return this.#elements.length;
    }

    // ---- what is in them -----------------------------------------------------------------------

    text() {
      return this.#elements.map((element) => element.text).join("");
    }

    html() {
      return this.#elements.length === 0 ? undefined : innerHTML(this.#elements[0]);
    }

    attr(name, otherwise) {
      return this.#elements[0]?.attributes?.get(String(name).toLowerCase()) ?? otherwise;
    }

    val() {
      const first = this.#elements[0];
      if (first === undefined) return undefined;
      if (first.name !== "select") return valueOf(first);
      const options = this.first().find("option");
      const chosen = options.filter("[selected]");
      return (chosen.length > 0 ? chosen : options).first().val();
    }

    nodeName() {
      return this.#elements[0]?.name;
    }

    // ---- others --------------------------------------------------------------------------------

    find(selector) {
      const alternatives = parseSelector(selector);
      const search = new Search();
      const found = [];
      let seen = -1; // up to where the document has been looked through
      for (const { order, end } of this.#elements) {
        for (let i = Math.max(seen, order) + 1; i <= end; i++) {
          if (search.fits(this.#all[i], alternatives)) found.push(this.#all[i]);
        }
        seen = Math.max(seen, end);
      }
      return this.#with(found);
    }

    filter(condition) {
      if (typeof condition !== "function") return this.#with(matching(this.#elements, condition));
      const elements = this.#elements;
      const keep = (answers) => this.#with(elements.filter((_, i) => answers[i]));
      return this.#ask(condition, keep);
    }

    not(selector) {
      const without = new Set(matching(this.#elements, selector));
      return this.#with(this.#elements.filter((element) => !without.has(element)));
    }

    is(selector) {
      return matching(this.#elements, selector).length > 0;
    }

    has(selector) {
      const holders = new Set();
      for (const element of this.find(selector).#elements) {
        let at = element.parent;
        while (at !== null && !holders.has(at)) {
          holders.add(at);
          at = at.parent;
        }
      }
      return this.#with(this.#elements.filter((element) => holders.has(element)));
    }

    children(selector) {
      return this.#of(this.#elements.flatMap((element) => element.elements), selector);
    }

    parent(selector) {
      return this.#of(this.#elements.map((element) => element.parent).filter(Boolean), selector);
    }

    parents(selector) {
      const found = new Set();
      for (const element of this.#elements) {
        for (let at = element.parent; at !== null && !found.has(at); at = at.parent) found.add(at);
      }
      return this.#of(found, selector);
    }

    closest(selector) {
      const alternatives = parseSelector(selector);
      const search = new Search();
      const seen = new Set();
      const found = [];
      for (const element of this.#elements) {
        for (let at = element; at !== null && !seen.has(at); at = at.parent) {
          seen.add(at);
          if (!search.fits(at, alternatives)) continue;
          found.push(at);
          break;
        }
      }
      return this.#of(found);
    }

    next(selector) {
      return this.#beside(1, selector);
    }

    prev(selector) {
      return this.#beside(-1, selector);
    }

    #beside(step, selector) {
      const found = this.#elements.map(
        (element) => element.parent?.elements[element.position + step],
      );
      return this.#of(found.filter(Boolean), selector);
    }

    siblings(selector) {
      const own = new Set(this.#elements);
      const parents = new Set(this.#elements.map((element) => element.parent));
      const found = [...parents].flatMap((parent) => parent?.elements ?? []);
      return this.#of(
        found.filter((element) => !own.has(element)),
        selector,
      );
    }

    // ---- some of them --------------------------------------------------------------------------

    first() {
      return this.#one(0);
    }

    last() {
      return this.#one(-1);
    }

    eq(index) {
      return this.#one(Number(index));
    }

    get(index) {
      if (index === undefined) return this.toArray();
      return this.#elements.at(index) === undefined ? undefined : this.#one(index);
    }

    slice(begin, end) {
      return this.#with(this.#elements.slice(begin, end));
    }

    // ---- one after the other -------------------------------------------------------------------

    toArray() {
      return this.#elements.map((element) => this.#with([element]));
    }

    [Symbol.iterator]() {
      return this.toArray().values();
    }

    each(fn) {
      return this.#ask(fn, () => this);
    }

    map(fn) {
      return this.#ask(fn, (answers) => answers);
    }

    // Calls fn(index, element) for each and hands over the answers; fn may wait.
    #ask(fn, done) {
      const items = this.toArray();
      const answers = [];
      for (let i = 0; i < items.length; i++) {
        const answer = fn(i, items[i]);
        if (isPending(answer)) return rest(fn, items, answers, answer, done);
        answers.push(answer);
      }
      return done(answers);
    }
  }

  function* rest(fn, items, answers, pending, done) {
    answers.push(yield pending);
    for (let i = answers.length; i < items.length; i++) {
      const answer = fn(i, items[i]);
      answers.push(isPending(answer) ? yield answer : answer);
    }
    return done(answers);
  }

  function matching(elements, selector) {
    const alternatives = parseSelector(selector);
    const search = new Search();
    return elements.filter((element) => search.fits(element, alternatives));
  }

  // k6's names of what an element has.
  for (const [name, own] of Object.entries({
    getAttribute: "attr",
    innerHTML: "html",
    textContent: "text",
    value: "val",
  })) {
    Object.defineProperty(Selection.prototype, name, { value: Selection.prototype[own] });
  }

  // A document as a Selection of its root, in which everything is found.
  fu.documentOf = (text) => {
    const all = parseHTML(String(text));
    return new Selection(all, [all[0]]);
  };
})
