// The test's own files: open(), SharedArray, SharedCSV. One copy a script host.
"use strict";
(function (fu) {
  const files = new Map(); // path -> bytes, given before the init code runs
  const arrays = new Map();

  function normal(path) {
    const parts = [];
    for (const part of path.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (parts.length === 0) return null;
        parts.pop();
      } else parts.push(part);
    }
    return parts.join("/");
  }

  // Beside the entry module, or from the top of the test's files.
  function find(path) {
    if (path.startsWith("/")) return undefined;
    return files.get(normal(fu.directory + path)) ?? files.get(normal(path));
  }

  function open(path, mode) {
    if (fu.current !== null) throw new Error("open() can only be called in the init code");
    const bytes = find(String(path));
    if (bytes === undefined) {
      throw new Error(`open(): the test has no file ${fu.JSON.stringify(String(path))}`);
    }
    return mode === "b" ? bytes.slice().buffer : fu.decode(bytes, 0, bytes.length);
  }

  function frozen(value) {
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
    Object.freeze(value);
    for (const key of Object.keys(value)) frozen(value[key]);
    return value;
  }

  // An array that all workers read and none can change.
  function SharedArray(name, make) {
    if (new.target === undefined) throw new TypeError("SharedArray must be called with new");
    let shared = arrays.get(String(name));
    if (shared === undefined) {
      const list = make();
      if (!Array.isArray(list)) throw new TypeError("SharedArray: the function must return an array");
      shared = frozen(list);
      arrays.set(String(name), shared);
    }
    return shared;
  }

  // RFC 4180, with \n or \r\n.
  function parseCSV(text) {
    const rows = [];
    let row = [];
    let field = "";
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const letter = text[i];
      if (quoted) {
        if (letter !== '"') field += letter;
        else if (text[i + 1] === '"') {
          field += '"';
          i++;
        } else quoted = false;
      } else if (letter === '"' && field === "") quoted = true;
      else if (letter === ",") {
        row.push(field);
        field = "";
      } else if (letter === "\n") {
        row.push(field.endsWith("\r") ? field.slice(0, -1) : field);
        rows.push(row);
        row = [];
        field = "";
      } else field += letter;
    }
    if (field !== "" || row.length > 0) rows.push([...row, field]);
    return rows.filter((cells) => cells.length > 1 || cells[0] !== "");
  }

  class SharedCSV {
    #rows;

    constructor(path) {
      const [headers, ...rows] = parseCSV(open(path));
      this.headers = Object.freeze(headers ?? []);
      this.#rows = rows.map((cells) =>
        Object.freeze(Object.fromEntries(this.headers.map((name, i) => [name, cells[i] ?? ""]))),
      );
      this.length = rows.length;
      Object.freeze(this);
    }

    get(index) {
      return this.#rows[index];
    }

    random() {
      return this.#rows[Math.floor(Math.random() * this.length)];
    }
  }

  // A file: its path, a zero and its content, in inBytes.
  function addFile() {
    const used = fu.control[fu.CELL.IN_BYTES];
    const bytes = fu.takeBytes(0, used);
    const end = bytes.indexOf(0);
    files.set(fu.decode(bytes, 0, end), bytes.subarray(end + 1));
  }

  fu.addFile = addFile;
  fu.fileOfTest = (path) => files.get(normal(path)); // its bytes, or undefined
  fu.open = open;
  fu.SharedArray = SharedArray;
  fu.SharedCSV = SharedCSV;
})
