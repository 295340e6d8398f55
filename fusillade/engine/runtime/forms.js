// Bodies made of fields: forms, and multipart bodies with files (RFC 7578).
"use strict";
(function (fu) {
  const { CELL, control, exchange } = fu;
  const apply = Reflect.apply;
  const { slice } = Uint8Array.prototype;
  // One for all forms: what stays the same in many requests is told to the engine once.
  const BOUNDARY = `----fusillade${[1, 2, 3, 4].map(() => Math.random().toString(36).slice(2)).join("")}`;

  // Bytes as bytes, or null for what is none.
  function binary(data) {
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    if (ArrayBuffer.isView(data)) {
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
    return null;
  }

  // Text as UTF-8.
  function encoded(text) {
    const from = control[CELL.OUT_BYTES];
    const length = fu.putText(text);
    control[CELL.OUT_BYTES] = from;
    return apply(slice, exchange.outBytes, [from, from + length]);
  }

  class FilePart {
    constructor(data, filename, contentType) {
      this.data = data;
      this.filename = filename;
      this.content_type = contentType ?? "application/octet-stream";
    }
  }

  // A file of the test by its path, or what is given itself: bytes, or text.
  function file(given, filename, contentType) {
    if (typeof given === "string") {
      const content = fu.fileOfTest(given);
      if (content !== undefined) {
        return new FilePart(content, filename ?? given.slice(given.lastIndexOf("/") + 1), contentType);
      }
    }
    const data = binary(given) ?? String(given);
    return new FilePart(data, filename ?? "file", contentType);
  }

  const quoted = (text) => String(text).replace(/"/g, "%22").replace(/\r/g, "%0D").replace(/\n/g, "%0A");

  class FormData {
    #parts = [];

    append(name, value, filename) {
      const bytes = binary(value);
      this.#parts.push([
        String(name),
        bytes === null ? value : new FilePart(bytes, filename ?? "file", undefined),
      ]);
    }

    // Text, or an ArrayBuffer where a part is binary.
    body() {
      const pieces = [];
      for (const [name, value] of this.#parts) {
        let head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${quoted(name)}"`;
        if (value instanceof FilePart) {
          const type = String(value.content_type).replace(/[\r\n]/g, " ");
          head += `; filename="${quoted(value.filename)}"\r\nContent-Type: ${type}`;
          pieces.push(`${head}\r\n\r\n`, value.data, "\r\n");
        } else pieces.push(`${head}\r\n\r\n${value}\r\n`);
      }
      pieces.push(`--${BOUNDARY}--\r\n`);
      if (pieces.every((piece) => typeof piece === "string")) return pieces.join("");
      const parts = pieces.map((piece) => (typeof piece === "string" ? encoded(piece) : piece));
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return whole.buffer;
    }

    contentType() {
      return `multipart/form-data; boundary=${BOUNDARY}`;
    }
  }

  const listed = (value) => (Array.isArray(value) ? value : [value]);

  // An object's fields as FormData if one of them is a file, else null.
  function formOf(object) {
    const fields = Object.keys(object).map((name) => [name, listed(object[name])]);
    if (!fields.some(([, values]) => values.some((value) => value instanceof FilePart))) return null;
    const form = new FormData();
    for (const [name, values] of fields) for (const value of values) form.append(name, value);
    return form;
  }

  function formEncode(object) {
    const encode = (text) => encodeURIComponent(text.toWellFormed()).replace(/%20/g, "+");
    return Object.keys(object)
      .flatMap((name) =>
        listed(object[name]).map((value) => `${encode(name)}=${encode(String(value))}`),
      )
      .join("&");
  }

  fu.binary = binary;
  fu.file = file;
  fu.FormData = FormData;
  fu.formEncode = formEncode;
  fu.formOf = formOf;
})
