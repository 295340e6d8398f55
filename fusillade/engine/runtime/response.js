// What a request returns. Headers and body stay bytes until the script touches them.
"use strict";
(function (fu) {
  const { decode, exchange, JSON, takeBytes } = fu;

  // By number, as in REQUEST `error` of the metrics: [error, errorCode].
  const ERRORS = Object.freeze([
    [null, null],
    ["TIMEOUT", "ETIMEDOUT"],
    ["DNS", "ENOTFOUND"],
    ["TLS", "ECERT"],
    ["CONNECT", "ECONNREFUSED"],
    ["RESET", "ECONNRESET"],
    ["RESET", "EPIPE"],
    ["NETWORK", "ENETWORK"],
    ["Simulated network drop", "ENETWORK"],
    ["BLOCKED", "EBLOCKED"],
  ]);
  const PROTOCOLS = Object.freeze({ 10: "h1", 11: "h1", 20: "h2", 30: "h3" });

  class Response {
    #ascii;
    #bytes;
    #head;
    #body;
    #document;
    #entry;
    #headers;
    #row;

    // For the runtime alone: what a script cannot change. Null for what is no response.
    static {
      fu.insideOf = (value) =>
        #entry in value
          ? { __proto__: null, entry: value.#entry, bytes: value.#bytes, head: value.#head, timings: value.#row }
          : null;
    }

    constructor(entry, at, sink) {
      const row = exchange.completions;
      const head = row[at + 16];
      const length = head + row[at + 17];
      this.#entry = entry;
      this.url = entry.template.url;
      this.status = row[at + 3];
      const error = ERRORS[row[at + 4]];
      this.error = error[0];
      this.errorCode = error[1];
      this.#head = head;
      this.#ascii = row[at + 19] !== 0;
      this.#bytes = length > 0 ? takeBytes(row[at + 15], length) : null;
      this.#body = sink || this.status === 0 ? null : undefined;
      this.#headers = undefined;
      this.#row = {
        duration: row[at + 5],
        blocked: row[at + 6],
        connecting: row[at + 7],
        tls_handshaking: row[at + 8],
        sending: row[at + 9],
        waiting: row[at + 10],
        receiving: row[at + 11],
      };
      this.proto = PROTOCOLS[row[at + 1]] ?? null;
    }

    get timings() {
      return this.#row;
    }

    get statusText() {
      const first = this.#lines()[0] ?? "";
      const match = /^HTTP\/[\d.]+ \d+ ?(.*)$/.exec(first);
      return match === null ? "" : match[1];
    }

    get body() {
      if (this.#body === undefined) {
        const bytes = this.#bytes;
        this.#body = bytes === null ? "" : decode(bytes, this.#head, bytes.length, this.#ascii);
      }
      return this.#body;
    }

    // Names as `Content-Type`; a repeated header's values are joined by ", ".
    get headers() {
      if (this.#headers === undefined) {
        const headers = {};
        for (const [name, value] of this.#fields()) {
          const title = name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
          headers[title] = title in headers ? `${headers[title]}, ${value}` : value;
        }
        this.#headers = headers;
      }
      return this.#headers;
    }

    // Lines of the last header block: interim (1xx) answers come before it.
    #lines() {
      if (this.#bytes === null) return [];
      const blocks = decode(this.#bytes, 0, this.#head, this.#ascii).split("\r\n\r\n");
      return (blocks[blocks.length - 2] ?? "").split("\r\n");
    }

    #fields() {
      const fields = [];
      const lines = this.#lines();
      for (let i = 1; i < lines.length; i++) {
        const colon = lines[i].indexOf(":");
        if (colon > 0) fields.push([lines[i].slice(0, colon), lines[i].slice(colon + 1).trim()]);
      }
      return fields;
    }

    // By name: [{name, value, domain, path, ...}], as this response has set them.
    get cookies() {
      return fu.listedCookies(this.setCookies());
    }

    // The values of all Set-Cookie headers.
    setCookies() {
      return this.#fields()
        .filter(([name]) => name.toLowerCase() === "set-cookie")
        .map(([, value]) => value);
    }

    // The body's value, or what a path such as "users.0.name" leads to in it.
    json(path) {
      const body = this.body;
      if (body === null) throw new TypeError("json(): the response has no body");
      let value = JSON.parse(body);
      if (path === undefined) return value;
      for (const key of String(path).split(".")) {
        const inside = typeof value === "object" && value !== null && Object.hasOwn(value, key);
        value = inside ? value[key] : undefined;
      }
      return value;
    }

    // The elements that a selector finds, or the whole document (html.js).
    html(selector) {
      const body = this.body;
      if (body === null) throw new TypeError("html(): the response has no body");
      this.#document ??= fu.documentOf(body);
      return selector === undefined ? this.#document : this.#document.find(selector);
    }

    // What JSON.stringify shows: all that could be read.
    toJSON() {
      const { url, status, statusText, proto, error, errorCode, headers, body, timings } = this;
      return { url, status, statusText, proto, error, errorCode, headers, body, timings };
    }

    bodyContains(text) {
      return this.body !== null && this.body.includes(text);
    }

    bodyMatches(pattern) {
      return this.body !== null && new RegExp(pattern).test(this.body);
    }

    hasHeader(name, value) {
      const wanted = String(name).toLowerCase();
      return this.#fields().some(
        ([field, content]) =>
          field.toLowerCase() === wanted && (value === undefined || content === String(value)),
      );
    }

    isJson() {
      try {
        this.json();
        return true;
      } catch {
        return false;
      }
    }

    matchesSchema(schema) {
      let data;
      try {
        data = this.json();
      } catch {
        return false;
      }
      if (typeof data !== "object" || data === null) return false;
      return Object.entries(schema).every(([field, type]) => {
        const value = data[field];
        if (type === "array") return Array.isArray(value);
        if (type === "object") {
          return typeof value === "object" && value !== null && !Array.isArray(value);
        }
        return typeof value === type;
      });
    }
  }

  fu.Response = Response;
})
