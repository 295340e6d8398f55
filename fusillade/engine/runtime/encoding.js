// encoding and crypto: base64 (RFC 4648), MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4),
// HMAC (RFC 2104).
"use strict";
(function (fu) {
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  // A string as UTF-8; bytes as they are.
  function bytesOf(data) {
    if (data instanceof Uint8Array) return data;
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    const text = encodeURIComponent(String(data).toWellFormed());
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      if (text[i] === "%") {
        bytes.push(parseInt(text.slice(i + 1, i + 3), 16));
        i += 2;
      } else bytes.push(text.charCodeAt(i));
    }
    return Uint8Array.from(bytes);
  }

  function base64(data, variant) {
    const bytes = bytesOf(data);
    let text = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const group = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      text += ALPHABET[group >> 18] + ALPHABET[(group >> 12) & 63];
      text += i + 1 < bytes.length ? ALPHABET[(group >> 6) & 63] : "=";
      text += i + 2 < bytes.length ? ALPHABET[group & 63] : "=";
    }
    if (variant === undefined || variant === "std") return text;
    text = variant === "url" || variant === "rawurl"
      ? text.replace(/\+/g, "-").replace(/\//g, "_")
      : text;
    return variant.startsWith("raw") ? text.replace(/=+$/, "") : text;
  }

  function decodeBase64(text, variant, format) {
    const clean = String(text).replace(/-/g, "+").replace(/_/g, "/").replace(/[=\s]+$/g, "");
    const bytes = [];
    let held = 0;
    let bits = 0;
    for (const letter of clean) {
      const value = ALPHABET.indexOf(letter);
      if (value < 0) throw new TypeError(`b64decode: ${JSON.stringify(letter)} is not base64`);
      held = ((held << 6) | value) & 0xffffff;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes.push((held >> bits) & 255);
      }
    }
    const result = Uint8Array.from(bytes);
    return format === "b" ? result.buffer : fu.decode(result, 0, result.length);
  }

  // The message with the padding of MD5 and SHA: 1, zeros, its length in bits.
  function padded(bytes, littleEndian) {
    const blocks = new Uint8Array(((bytes.length + 8) >> 6 << 6) + 64);
    blocks.set(bytes);
    blocks[bytes.length] = 0x80;
    const view = new DataView(blocks.buffer);
    const low = (bytes.length << 3) >>> 0;
    const high = Math.floor(bytes.length / 0x20000000);
    view.setUint32(blocks.length - 8, littleEndian ? low : high, littleEndian);
    view.setUint32(blocks.length - 4, littleEndian ? high : low, littleEndian);
    return view;
  }

  function digest(words, littleEndian) {
    const view = new DataView(new ArrayBuffer(words.length * 4));
    words.forEach((word, i) => view.setUint32(i * 4, word, littleEndian));
    return new Uint8Array(view.buffer);
  }

  const left = (x, n) => (x << n) | (x >>> (32 - n));
  const right = (x, n) => (x >>> n) | (x << (32 - n));

  const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const MD5_SINES = Array.from({ length: 64 }, (_, i) => (Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

  function md5(bytes) {
    const view = padded(bytes, true);
    const sum = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
    for (let block = 0; block < view.byteLength; block += 64) {
      let [a, b, c, d] = sum;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        let mixed;
        let word;
        if (round === 0) [mixed, word] = [(b & c) | (~b & d), i];
        else if (round === 1) [mixed, word] = [(d & b) | (~d & c), (5 * i + 1) & 15];
        else if (round === 2) [mixed, word] = [b ^ c ^ d, (3 * i + 5) & 15];
        else [mixed, word] = [c ^ (b | ~d), (7 * i) & 15];
        const total = (a + mixed + MD5_SINES[i] + view.getUint32(block + word * 4, true)) | 0;
        [a, d, c, b] = [d, c, b, (b + left(total, MD5_SHIFTS[round * 4 + (i & 3)])) | 0];
      }
      sum[0] = (sum[0] + a) | 0;
      sum[1] = (sum[1] + b) | 0;
      sum[2] = (sum[2] + c) | 0;
      sum[3] = (sum[3] + d) | 0;
    }
    return digest(sum, true);
  }

  function sha1(bytes) {
    const view = padded(bytes, false);
    const sum = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    const w = new Int32Array(80);
    for (let block = 0; block < view.byteLength; block += 64) {
      for (let i = 0; i < 80; i++) {
        w[i] =
          i < 16
            ? view.getUint32(block + i * 4)
            : left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      }
      let [a, b, c, d, e] = sum;
      for (let i = 0; i < 80; i++) {
        let mixed;
        if (i < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
        else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
        else if (i < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        else mixed = (b ^ c ^ d) + 0xca62c1d6;
        [e, d, c, b, a] = [d, c, left(b, 30), a, (left(a, 5) + mixed + e + w[i]) | 0];
      }
      [a, b, c, d, e].forEach((word, i) => {
        sum[i] = (sum[i] + word) | 0;
      });
    }
    return digest(sum, false);
  }

  // Fractional parts of the square and cube roots of the first primes.
  const PRIMES = [];
  for (let n = 2; PRIMES.length < 64; n++) {
    if (PRIMES.every((prime) => n % prime !== 0)) PRIMES.push(n);
  }
  const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  const SHA256_START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  const SHA256_ROUND = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

  function sha256(bytes) {
    const view = padded(bytes, false);
    const sum = SHA256_START.slice();
    const w = new Int32Array(64);
    for (let block = 0; block < view.byteLength; block += 64) {
      for (let i = 0; i < 64; i++) {
        if (i < 16) {
          w[i] = view.getUint32(block + i * 4);
          continue;
        }
        const x = w[i - 15];
        const y = w[i - 2];
        const s0 = right(x, 7) ^ right(x, 18) ^ (x >>> 3);
        const s1 = right(y, 17) ^ right(y, 19) ^ (y >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      let [a, b, c, d, e, f, g, h] = sum;
      for (let i = 0; i < 64; i++) {
        const s1 = right(e, 6) ^ right(e, 11) ^ right(e, 25);
        const first = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_ROUND[i] + w[i]) | 0;
        const s0 = right(a, 2) ^ right(a, 13) ^ right(a, 22);
        const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => {
        sum[i] = (sum[i] + word) | 0;
      });
    }
    return digest(sum, false);
  }

  const HASHES = { __proto__: null, md5, sha1, sha256 };

  function hashOf(algorithm) {
    const hash = HASHES[String(algorithm).toLowerCase()];
    if (hash === undefined) {
      throw new TypeError(`crypto: there is no algorithm "${algorithm}"; use md5, sha1 or sha256`);
    }
    return hash;
  }

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  function shown(bytes, format) {
    if (format === undefined || format === "hex") return hex(bytes);
    if (format === "binary") return bytes.buffer;
    return base64(bytes, format === "base64" ? "std" : format.replace("base64", ""));
  }

  function hmac(algorithm, key, data, format) {
    const hash = hashOf(algorithm);
    let secret = bytesOf(key);
    if (secret.length > 64) secret = hash(secret);
    const block = new Uint8Array(64);
    block.set(secret);
    const join = (mask, rest) => {
      const joined = new Uint8Array(64 + rest.length);
      block.forEach((byte, i) => {
        joined[i] = byte ^ mask;
      });
      joined.set(rest, 64);
      return joined;
    };
    return shown(hash(join(0x5c, hash(join(0x36, bytesOf(data))))), format);
  }

  fu.base64 = base64;
  fu.encoding = Object.freeze({ b64encode: base64, b64decode: decodeBase64 });
  fu.crypto = Object.freeze({
    md5: (data, format) => shown(md5(bytesOf(data)), format),
    sha1: (data, format) => shown(sha1(bytesOf(data)), format),
    sha256: (data, format) => shown(sha256(bytesOf(data)), format),
    hmac,
  });
})
