// CSS selectors over the trees of html_tree.js: parsed once, matched from right to left.
//
// What is found out about an element is remembered for as long as one search takes, so that a
// search takes no longer than the number of elements times the length of the selector.
"use strict";
(function (fu) {
  const { JSON } = fu;
  const NAME = /(?:[\w-]|[^\0-\x7f]|\\.)+/y;
  const COMBINATOR = /\s*([>+~])\s*|\s+/y;
  const ATTRIBUTE =
    /\[\s*((?:[\w:-]|[^\0-\x7f]|\\.)+)\s*(?:([~|^$*]?=)\s*(?:"([^"]*)"|'([^']*)'|([^\s\]"']+))\s*([iIsS]?)\s*)?\]/y;
  const ARGUMENT = /\(\s*(?:"([^"]*)"|'([^']*)'|([^()]*?))\s*\)/y;
  const STEPS = /^(?:(odd)|(even)|([+-]?\d*)n\s*(?:([+-])\s*(\d+))?|([+-]?\d+))$/i;
  const MOST_KEPT = 256;
  const kept = new Map();

  const unescaped = (text) => text.replace(/\\(.)/g, "$1");

  // ---- tests of one element ------------------------------------------------------------------

  function attributeTest([, rawName, operator, double, single, bare, flag]) {
    const name = unescaped(rawName).toLowerCase();
    if (operator === undefined) return (element) => element.attributes?.has(name) === true;
    const fold = /i/i.test(flag) ? (text) => text.toLowerCase() : (text) => text;
    const wanted = fold(double ?? single ?? unescaped(bare));
    const fits = {
      "=": (value) => value === wanted,
      "~=": (value) => wanted !== "" && value.split(/\s+/).includes(wanted),
      "|=": (value) => value === wanted || value.startsWith(`${wanted}-`),
      "^=": (value) => wanted !== "" && value.startsWith(wanted),
      "$=": (value) => wanted !== "" && value.endsWith(wanted),
      "*=": (value) => wanted !== "" && value.includes(wanted),
    }[operator];
    return (element) => {
      const value = element.attributes?.get(name);
      return value !== undefined && fits(fold(value));
    };
  }

  function classTest(name) {
    return (element) => {
      const value = element.attributes?.get("class");
      return value !== undefined && (value === name || value.split(/\s+/).includes(name));
    };
  }

  // `an+b`: whether a position from 1 is one of these.
  function stepTest(text, selector) {
    const match = STEPS.exec(text);
    if (match === null) wrong(selector, `there is no ${JSON.stringify(text)} in nth-child()`);
    const [, odd, even, every, sign, offset, single] = match;
    if (odd !== undefined) return (n) => n % 2 === 1;
    if (even !== undefined) return (n) => n % 2 === 0;
    if (single !== undefined) return (n) => n === Number(single);
    const step = /\d/.test(every) ? Number(every) : Number(`${every}1`);
    const first = offset === undefined ? 0 : Number(`${sign}${offset}`);
    if (step === 0) return (n) => n === first;
    return (n) => (n - first) % step === 0 && (n - first) / step >= 0;
  }

  const siblings = (element) => element.parent?.elements ?? [element];
  const fromEnd = (element) => siblings(element).length - element.position;
  const SIMPLE = {
    __proto__: null,
    "first-child": (element) => element.position === 0,
    "last-child": (element) => fromEnd(element) === 1,
    "only-child": (element) => siblings(element).length === 1,
    empty: (element) => element.children.length === 0,
    checked: (element) =>
      element.attributes?.has(element.name === "option" ? "selected" : "checked") === true,
    disabled: (element) => element.attributes?.has("disabled") === true,
  };

  // ---- parsing -------------------------------------------------------------------------------

  function wrong(selector, reason) {
    throw new TypeError(`html: the selector ${JSON.stringify(selector)} is wrong: ${reason}`);
  }

  class Parser {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }

    take(pattern) {
      pattern.lastIndex = this.at;
      const match = pattern.exec(this.text);
      if (match !== null) this.at = pattern.lastIndex;
      return match;
    }

    name() {
      const match = this.take(NAME);
      if (match === null) this.unexpected();
      return unescaped(match[0]);
    }

    unexpected() {
      const rest = this.text.slice(this.at, this.at + 20);
      const what = rest === "" ? "it ends too early" : `${JSON.stringify(rest)} was not expected`;
      wrong(this.text, what);
    }

    // Alternatives, each a list of compounds: [{tests, combinator to the one before}].
    list(closing) {
      const alternatives = [];
      for (;;) {
        this.take(/\s*/y);
        alternatives.push(this.chain(closing));
        const letter = this.text[this.at];
        if (letter === ",") this.at++;
        else if (letter === closing) {
          if (closing !== undefined) this.at++;
          return alternatives;
        } else this.unexpected();
      }
    }

    chain(closing) {
      const compounds = [{ tests: this.compound(), combinator: "" }];
      for (;;) {
        const match = this.take(COMBINATOR);
        const letter = this.text[this.at];
        const ends = letter === undefined || letter === "," || letter === closing;
        if (ends && (match === null || match[1] === undefined)) return compounds;
        if (match === null) this.unexpected();
        compounds.push({ tests: this.compound(), combinator: match[1] ?? " " });
      }
    }

    compound() {
      const tests = [];
      const begin = this.at;
      if (this.text[this.at] === "*") this.at++;
      else if (this.take(/(?=[\w\\-]|[^\0-\x7f])/y) !== null) {
        const name = this.name().toLowerCase();
        tests.push((element) => element.name === name);
      }
      for (;;) {
        switch (this.text[this.at]) {
          case "#": {
            this.at++;
            const id = this.name();
            tests.push((element) => element.attributes?.get("id") === id);
            break;
          }
          case ".":
            this.at++;
            tests.push(classTest(this.name()));
            break;
          case "[": {
            const match = this.take(ATTRIBUTE);
            if (match === null) this.unexpected();
            tests.push(attributeTest(match));
            break;
          }
          case ":":
            this.at++;
            tests.push(this.pseudo());
            break;
          default:
            if (this.at === begin) this.unexpected();
            return tests;
        }
      }
    }

    pseudo() {
      const name = this.name().toLowerCase();
      if (SIMPLE[name] !== undefined) return SIMPLE[name];
      if (name === "not") {
        if (this.text[this.at] !== "(") this.unexpected();
        this.at++;
        const alternatives = this.list(")");
        return (element, search) => !search.fits(element, alternatives);
      }
      if (name === "contains") {
        const wanted = this.argument();
        return (element) => element.text.includes(wanted);
      }
      if (name !== "nth-child" && name !== "nth-last-child") {
        wrong(this.text, `there is no :${name}`);
      }
      const test = stepTest(this.argument(), this.text);
      if (name === "nth-child") return (element) => test(element.position + 1);
      return (element) => test(fromEnd(element));
    }

    argument() {
      const match = this.take(ARGUMENT);
      if (match === null) this.unexpected();
      return match[1] ?? match[2] ?? match[3];
    }
  }

  // A selector's alternatives. Throws a TypeError that says what is wrong with it.
  function parse(selector) {
    const text = String(selector);
    let alternatives = kept.get(text);
    if (alternatives === undefined) {
      const parser = new Parser(text.trim());
      alternatives = parser.list(undefined);
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(text, alternatives);
    }
    return alternatives;
  }

  // ---- matching ------------------------------------------------------------------------------

  const parentOf = (element) => element.parent;
  const previousOf = (element) =>
    element.position === 0 || element.parent === null
      ? null
      : element.parent.elements[element.position - 1];

  class Search {
    #known = new Map(); // compound -> element -> whether one before the element fits it

    fits(element, alternatives) {
      return alternatives.some((compounds) => this.#ends(element, compounds, compounds.length - 1));
    }

    // Whether the selector's part up to compound `i` fits the element.
    #ends(element, compounds, i) {
      const { tests, combinator } = compounds[i];
      for (const test of tests) if (!test(element, this)) return false;
      switch (combinator) {
        case "":
          return true;
        case ">": {
          const { parent } = element;
          return parent !== null && this.#ends(parent, compounds, i - 1);
        }
        case "+": {
          const previous = previousOf(element);
          return previous !== null && this.#ends(previous, compounds, i - 1);
        }
        case "~":
          return this.#some(element, compounds, i - 1, previousOf);
        default:
          return this.#some(element, compounds, i - 1, parentOf);
      }
    }

    // Whether one of the elements that `step` leads to fits.
    #some(element, compounds, i, step) {
      const compound = compounds[i + 1];
      let known = this.#known.get(compound);
      if (known === undefined) this.#known.set(compound, (known = new Map()));
      const asked = [];
      let found = false;
      for (let at = element; ; ) {
        const before = known.get(at);
        if (before !== undefined) {
          found = before;
          break;
        }
        asked.push(at);
        at = step(at);
        if (at === null) break;
        if (this.#ends(at, compounds, i)) {
          found = true;
          break;
        }
      }
      for (const one of asked) known.set(one, found);
      return found;
    }
  }

  fu.parseSelector = parse;
  fu.Search = Search;
})
