// The exchange: typed arrays that the engine (Python) and this runtime both hold.
//
// Nothing but calls without arguments crosses the language border while a test runs, since each
// value that crosses costs a microsecond and leaks. The layout is mirrored by `exchange.py`.
"use strict";
(function (fu) {
  const apply = Reflect.apply;
  const setBytes = Uint8Array.prototype.set;
  const fill = Float64Array.prototype.set;
  const slice = Uint8Array.prototype.slice;
  const subarray = Uint8Array.prototype.subarray;
  const lengthOf = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    "length",
  ).get;
  const fromCharCode = String.fromCharCode;
  const charCodeAt = String.prototype.charCodeAt;

  const COMPLETION_COLUMNS = 20;
  const OPERATION_COLUMNS = 8;
  const COMMAND_COLUMNS = 4;
  const VALUE_COLUMNS = 2;
  const EVENT_COLUMNS = 6;

  const exchange = {
    // control cells, see Cell in exchange.py
    control: new Float64Array(32),
    completions: new Float64Array(COMPLETION_COLUMNS * 1024),
    wakes: new Float64Array(4096),
    commands: new Float64Array(COMMAND_COLUMNS * 64),
    events: new Float64Array(EVENT_COLUMNS * 256),
    inBytes: new Uint8Array(1 << 20),
    operations: new Float64Array(OPERATION_COLUMNS * 1024),
    values: new Float64Array(VALUE_COLUMNS * 4096),
    outBytes: new Uint8Array(1 << 16),
    scenarios: new Float64Array(8 * 64),
  };
  const CELL = Object.freeze({
    COMPLETIONS: 0,
    WAKES: 1,
    COMMANDS: 2,
    IN_BYTES: 3,
    OPERATIONS: 4,
    VALUES: 5,
    OUT_BYTES: 6,
    GROWN: 7,
    MORE: 8,
    NOW: 9, // milliseconds on the engine's clock
    WANTED_IN_BYTES: 10,
    EPOCH: 11, // milliseconds since 1970
    EVENTS: 16,
  });

  const control = exchange.control;

  function grown(array, needed) {
    let size = array.length;
    while (size < needed) size *= 2;
    const larger = array instanceof Uint8Array ? new Uint8Array(size) : new Float64Array(size);
    apply(array instanceof Uint8Array ? setBytes : fill, larger, [array]);
    control[CELL.GROWN] = 1;
    return larger;
  }

  // Appends one operation for the engine; a..f are numbers whose meaning `kind` gives.
  function operation(slot, kind, a, b, c, d, e, f) {
    const at = control[CELL.OPERATIONS] * OPERATION_COLUMNS;
    if (at + OPERATION_COLUMNS > exchange.operations.length) {
      exchange.operations = grown(exchange.operations, at + OPERATION_COLUMNS);
    }
    const out = exchange.operations;
    out[at] = slot;
    out[at + 1] = kind;
    out[at + 2] = a;
    out[at + 3] = b;
    out[at + 4] = c;
    out[at + 5] = d;
    out[at + 6] = e;
    out[at + 7] = f;
    control[CELL.OPERATIONS] += 1;
  }

  function value(series, number) {
    const at = control[CELL.VALUES] * VALUE_COLUMNS;
    if (at + VALUE_COLUMNS > exchange.values.length) {
      exchange.values = grown(exchange.values, at + VALUE_COLUMNS);
    }
    exchange.values[at] = series;
    exchange.values[at + 1] = number;
    control[CELL.VALUES] += 1;
  }

  // Writes text as UTF-8 behind what is already there; returns its length in bytes.
  // Lone surrogates become U+FFFD, as in TextEncoder.
  function putText(text) {
    const length = text.length;
    let at = control[CELL.OUT_BYTES];
    if (at + length * 3 > exchange.outBytes.length) {
      exchange.outBytes = grown(exchange.outBytes, at + length * 3);
    }
    const out = exchange.outBytes;
    const from = at;
    for (let i = 0; i < length; i++) {
      let code = apply(charCodeAt, text, [i]);
      if (code < 0x80) {
        out[at++] = code;
      } else if (code < 0x800) {
        out[at++] = 0xc0 | (code >> 6);
        out[at++] = 0x80 | (code & 63);
      } else {
        if (code >= 0xd800 && code < 0xe000) {
          const low = i + 1 < length ? apply(charCodeAt, text, [i + 1]) : 0;
          if (code < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            i++;
            out[at++] = 0xf0 | (code >> 18);
            out[at++] = 0x80 | ((code >> 12) & 63);
            out[at++] = 0x80 | ((code >> 6) & 63);
            out[at++] = 0x80 | (code & 63);
            continue;
          }
          code = 0xfffd;
        }
        out[at++] = 0xe0 | (code >> 12);
        out[at++] = 0x80 | ((code >> 6) & 63);
        out[at++] = 0x80 | (code & 63);
      }
    }
    control[CELL.OUT_BYTES] = at;
    return at - from;
  }

  // `bytes` may be the script's own, with a `length` that says something else.
  function putBytes(bytes) {
    const at = control[CELL.OUT_BYTES];
    const length = apply(lengthOf, bytes, []);
    if (at + length > exchange.outBytes.length) {
      exchange.outBytes = grown(exchange.outBytes, at + length);
    }
    apply(setBytes, exchange.outBytes, [bytes, at]);
    control[CELL.OUT_BYTES] = at + length;
    return length;
  }

  function takeBytes(from, length) {
    return apply(slice, exchange.inBytes, [from, from + length]);
  }

  const CHUNK = 8192;
  const units = new Uint16Array(CHUNK);

  function isAscii(bytes, from, to) {
    for (let i = from; i < to; i++) {
      if (bytes[i] > 127) return false;
    }
    return true;
  }

  // UTF-8 to string; ill-formed sequences become U+FFFD (WHATWG Encoding, replacement mode).
  // `ascii`: true when it is known to be.
  function decode(bytes, from, to, ascii) {
    let text = "";
    if (ascii === true || isAscii(bytes, from, to)) {
      for (let i = from; i < to; i += CHUNK) {
        const end = i + CHUNK < to ? i + CHUNK : to;
        text += apply(fromCharCode, null, apply(subarray, bytes, [i, end]));
      }
      return text;
    }
    let at = from;
    let used = 0;
    while (at < to) {
      if (used > CHUNK - 2) {
        text += apply(fromCharCode, null, used === CHUNK ? units : takeUnits(used));
        used = 0;
      }
      const first = bytes[at++];
      if (first < 0x80) {
        units[used++] = first;
        continue;
      }
      let need = 0;
      let code = 0;
      let low = 0x80;
      let high = 0xbf;
      if (first >= 0xc2 && first <= 0xdf) {
        need = 1;
        code = first & 31;
      } else if (first >= 0xe0 && first <= 0xef) {
        need = 2;
        code = first & 15;
        if (first === 0xe0) low = 0xa0;
        if (first === 0xed) high = 0x9f;
      } else if (first >= 0xf0 && first <= 0xf4) {
        need = 3;
        code = first & 7;
        if (first === 0xf0) low = 0x90;
        if (first === 0xf4) high = 0x8f;
      } else {
        units[used++] = 0xfffd;
        continue;
      }
      let good = true;
      for (; need > 0; need--) {
        const byte = at < to ? bytes[at] : 0;
        if (byte < low || byte > high) {
          good = false;
          break;
        }
        low = 0x80;
        high = 0xbf;
        code = (code << 6) | (byte & 63);
        at++;
      }
      if (!good) units[used++] = 0xfffd;
      else if (code < 0x10000) units[used++] = code;
      else {
        units[used++] = 0xd800 + ((code - 0x10000) >> 10);
        units[used++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
      }
    }
    return text + apply(fromCharCode, null, takeUnits(used));
  }

  const subunits = Uint16Array.prototype.subarray;
  function takeUnits(used) {
    return apply(subunits, units, [0, used]);
  }

  // The text that the engine has put at the start of inBytes.
  function takeText() {
    return decode(exchange.inBytes, 0, control[CELL.IN_BYTES]);
  }

  function growInBytes() {
    exchange.inBytes = grown(exchange.inBytes, control[CELL.WANTED_IN_BYTES]);
  }

  fu.exchange = exchange;
  fu.CELL = CELL;
  fu.control = control;
  fu.COMPLETION_COLUMNS = COMPLETION_COLUMNS;
  fu.EVENT_COLUMNS = EVENT_COLUMNS;
  fu.operation = operation;
  fu.value = value;
  fu.putText = putText;
  fu.putBytes = putBytes;
  fu.takeBytes = takeBytes;
  fu.takeText = takeText;
  fu.decode = decode;
  fu.growInBytes = growInBytes;
})
